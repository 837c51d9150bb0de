"""The parts of an ERP's answers that are not records of the port: write result, ping, keys."""

from __future__ import annotations

import dataclasses
import datetime as dt

from b2bcrm.ports.erp import Issue, Operation, WriteResult


@dataclasses.dataclass(frozen=True, kw_only=True)
class Company:
    """A company the ERP keeps books for."""

    code: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ping:
    """What an ERP says about itself, as far as it does."""

    product: str = ""
    server_time: dt.datetime | None = None
    companies: tuple[Company, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class LinePair:
    """A line number as it was sent, and as the ERP keeps it."""

    kept: int
    sent: int = 0  # where the ERP does not repeat it


@dataclasses.dataclass(frozen=True, kw_only=True)
class Written:
    """A write's answer, before it becomes a ``WriteResult``."""

    erp_id: str = ""
    version: str = ""
    handle: str = ""
    line_map: tuple[LinePair, ...] = ()
    messages: tuple[Issue, ...] = ()

    def result(self) -> WriteResult:
        """In the port's form."""
        lines = {pair.sent: pair.kept for pair in self.line_map}
        return WriteResult(self.erp_id, self.version, lines, self.messages, self.handle)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Told:
    """What the ERP says later about a write. ``state`` is done, open or refused."""

    message_id: str = ""
    reference: str = ""
    erp_id: str = ""
    version: str = ""
    state: str = "done"
    messages: tuple[Issue, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Progress:
    """The operations of one work order."""

    work_order: str
    operations: tuple[Operation, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Key:
    """A record's id and version."""

    erp_id: str
    version: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Session:
    """What a login gives; ``token`` is empty where it was refused."""

    token: str = ""
    company: str = ""
