"""What a check says: passed, failed, skipped with a reason, or not run; and the whole report."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import Connection, ConnectorInfo, Entity

if TYPE_CHECKING:
    from connectors.erp.contract.ground import Ground


class Outcome(enum.StrEnum):
    """SKIPPED: the connection does not offer what is checked. NOT_RUN: it was not asked for."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_RUN = "not_run"


class Failed(Exception):
    """The connection does not keep what the check says; ``message`` tells what was seen."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


class Skipped(Exception):
    """The check does not apply to this connection; ``message`` is the reason."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


@dataclass(frozen=True)
class Check:
    """``sentence`` is what must be true; ``writes`` tells that it enters orders."""

    name: str
    sentence: Message
    run: Callable[[Ground], Message]
    writes: bool = False


@dataclass(frozen=True)
class Finding:
    """One check's outcome with its evidence."""

    check: Check
    outcome: Outcome
    evidence: Message
    seconds: float = 0.0


@dataclass(frozen=True)
class Speed:
    """One complete list, as it was measured."""

    entity: Entity
    rows: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Records per second."""
        return self.rows / self.seconds if self.seconds else float(self.rows)


@dataclass(frozen=True)
class Report:
    """One run of the suite. ``prefix`` begins the references of its orders."""

    connection: Connection
    info: ConnectorInfo
    product: str
    at: dt.datetime
    findings: tuple[Finding, ...]
    oddities: tuple[Message, ...]
    speeds: tuple[Speed, ...]
    calls_per_second: float
    prefix: str

    def count(self, outcome: Outcome) -> int:
        """How many checks ended so."""
        return sum(finding.outcome is outcome for finding in self.findings)

    def passed(self, name: str) -> bool:
        """Whether the named check passed."""
        return any(f.check.name == name and f.outcome is Outcome.PASSED for f in self.findings)

    @property
    def clean(self) -> bool:
        """No check failed."""
        return not self.count(Outcome.FAILED)

    @property
    def fit_to_write(self) -> bool:
        """Clean, and an order was entered: nothing speaks against switching writes on."""
        return self.clean and self.passed("enter")
