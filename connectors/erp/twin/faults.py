"""What can be made to go wrong at the twin, and plans that decide when: by seed, never by chance.

Not here: how a fault looks on the wire (``trouble``).
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from connectors.erp.twin.store import Store


class Fault(enum.StrEnum):
    """One way in which an ERP, or what stands before it, lets its callers down."""

    TIMEOUT_BEFORE_COMMIT = "timeout_before_commit"  # no answer, and nothing was done
    TIMEOUT_AFTER_COMMIT = "timeout_after_commit"  # it was done, the answer never comes
    RESET_MID_BODY = "reset_mid_body"  # it was done, the connection breaks in the answer
    HTML_200 = "html_200"  # a sign-in page where data should be; nothing was done
    HTML_404 = "html_404"  # the service is not there for a moment; nothing was done
    HTML_502 = "html_502"  # a proxy gave up on the answer, although it was done
    DOWN_503 = "down_503"  # a proxy speaks for a server that is down; nothing was done
    FAULT_IN_200 = "fault_in_200"  # an error of its own inside HTTP 200; nothing was done
    FALSE_SUCCESS = "false_success"  # it says done and names a number, but nothing is stored
    TRUNCATED_PAGE = "truncated_page"  # fewer rows than the page announces
    DUPLICATED_PAGE = "duplicated_page"  # each row of the page comes twice
    PAGE_SHIFT = "page_shift"  # a row leaves this page, because it was changed meanwhile
    LATE_COMMIT = "late_commit"  # rows stamped before the page was read appear after it
    NEW_ELEMENT = "new_element"  # something the contract does not name
    MISSING_ELEMENT = "missing_element"  # something the contract promises is not there
    WRONG_ENCODING = "wrong_encoding"  # says UTF-8, is Big5 or Latin-1
    SLOW_DRIP = "slow_drip"  # byte by byte, no pause long enough for a read timeout
    STALE_VERSION = "stale_version"  # a version or a page's key is no longer the newest
    SESSION_EXPIRED = "session_expired"  # the login is refused, for a while
    DEADLOCK = "deadlock"  # another one wrote at the same time and won; nothing was done
    CLOCK_OFF = "clock_off"  # the ERP's clock is two hours off, in turn ahead and behind
    RESTARTED = "restarted"  # connections break, then are refused for a while; nothing was done


WRITES = frozenset({"CreateSalesOrder", "ChangeSalesOrder", "CancelSalesOrder", "CreateCustomer"})


@dataclass(frozen=True)
class Asked:
    """A call that a fault may befall. ``rows`` of the page it will get, ``recent`` of them changed
    just now; ``cursor``: it asks for a later page.
    """

    operation: str
    rows: int = 0
    recent: int = 0
    cursor: bool = False

    @property
    def writes(self) -> bool:
        """Whether the ERP would store something."""
        return self.operation in WRITES


class Faults(Protocol):
    """Asked once per call; names the fault that befalls it, or None."""

    def __call__(self, asked: Asked) -> Fault | None:
        """The call's fate."""


_NEEDS: Mapping[Fault, Callable[[Asked], bool]] = {
    Fault.FALSE_SUCCESS: lambda asked: asked.writes,
    Fault.DEADLOCK: lambda asked: asked.writes,
    Fault.TRUNCATED_PAGE: lambda asked: asked.rows > 0,
    Fault.DUPLICATED_PAGE: lambda asked: asked.rows > 0,
    Fault.PAGE_SHIFT: lambda asked: asked.rows > 0,
    Fault.LATE_COMMIT: lambda asked: asked.recent > 0,
    Fault.NEW_ELEMENT: lambda asked: asked.writes or asked.rows > 0,
    Fault.MISSING_ELEMENT: lambda asked: asked.writes or asked.rows > 0,
    Fault.STALE_VERSION: lambda asked: (
        asked.cursor or asked.operation in {"ChangeSalesOrder", "CancelSalesOrder"}
    ),
    Fault.CLOCK_OFF: lambda asked: asked.operation == "Ping" or asked.operation.startswith("List"),
}


def suits(fault: Fault, asked: Asked) -> bool:
    """Whether a fault would show at all on this call."""
    return fault not in _NEEDS or _NEEDS[fault](asked)


class Dice:
    """Any of ``kinds`` with probability ``rate``, on every call or only on ``operations``."""

    def __init__(
        self,
        seed: int,
        *,
        rate: float,
        kinds: Collection[Fault],
        operations: Collection[str] = (),
    ) -> None:
        self._chance = random.Random(seed)
        self._rate = rate
        self._kinds = sorted(kinds)
        self._operations = frozenset(operations)
        self._lock = Lock()

    def __call__(self, asked: Asked) -> Fault | None:
        """The call's fate."""
        if self._operations and asked.operation not in self._operations:
            return None
        with self._lock:  # two draws per call, so that the n-th call's fate hangs on n alone
            struck, which = self._chance.random() < self._rate, self._chance.random()
        fitting = [kind for kind in self._kinds if suits(kind, asked)]
        return fitting[int(which * len(fitting))] if struck and fitting else None


class Switch:
    """Dice that are thrown as the twin's file says now, so that another process may set them.

    New settings begin a new throw: the same seed shows the same troubles again.
    """

    def __init__(self, path: Path) -> None:
        self._store = Store(path)
        self._lock = Lock()
        self._set: Mapping[str, Any] | None = None
        self._dice: Dice | None = None

    def set(self, settings: Mapping[str, Any] | None) -> None:
        """Let things go wrong from the next call on: the settings of ``Dice``, or None."""
        with self._store.transaction():
            self._store.put_setting("faults", settings or {})

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def __call__(self, asked: Asked) -> Fault | None:
        """The call's fate."""
        with self._lock:
            settings = self._store.setting("faults", default={})
            if settings != self._set:
                self._set = settings
                self._dice = _dice(settings) if settings else None
            dice = self._dice
        return dice(asked) if dice else None


def _dice(settings: Mapping[str, Any]) -> Dice:
    kinds = [Fault(kind) for kind in settings["kinds"]]
    rate, operations = settings["rate"], settings["operations"]
    return Dice(settings["seed"], rate=rate, kinds=kinds, operations=operations)


class Deck:
    """Each fault exactly as often as asked for, on writes and on reads apart.

    The seed decides the order of the faults and which calls are struck; a fault that would not
    show on a call waits for the next one. ``on_writes`` and ``on_reads`` are the shares of calls
    that are struck while faults are left; ``struck`` is told of each.
    """

    def __init__(
        self,
        seed: int,
        *,
        writes: Mapping[Fault, int],
        reads: Mapping[Fault, int],
        on_writes: float,
        on_reads: float,
        struck: Callable[[Fault, Asked], None] = lambda _fault, _asked: None,
    ) -> None:
        self._rate = {True: on_writes, False: on_reads}
        self._struck = struck
        self._lock = Lock()
        self._chance = {side: random.Random(f"{seed}/{side}/calls") for side in (True, False)}
        self._cards: dict[bool, list[Fault]] = {}
        for side, counts in ((True, writes), (False, reads)):
            cards = [fault for fault, count in counts.items() for _ in range(count)]
            random.Random(f"{seed}/{side}/order").shuffle(cards)
            self._cards[side] = cards

    def __call__(self, asked: Asked) -> Fault | None:
        """The call's fate."""
        with self._lock:
            cards = self._cards[asked.writes]
            if not cards or self._chance[asked.writes].random() >= self._rate[asked.writes]:
                return None
            at = next((n for n, card in enumerate(cards) if suits(card, asked)), None)
            if at is None:
                return None
            fault = cards.pop(at)
        self._struck(fault, asked)
        return fault

    def left(self) -> int:
        """Faults that have not come yet."""
        with self._lock:
            return sum(map(len, self._cards.values()))
