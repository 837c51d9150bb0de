"""The parts of an ERP's answers that are not records of the port: page info, write result, ping."""

from __future__ import annotations

import dataclasses
import datetime as dt

from b2bcrm.ports.erp import Issue, Operation, WriteResult


@dataclasses.dataclass(frozen=True, kw_only=True)
class PageInfo:
    """What an ERP says about one page."""

    announced: int | None = None
    next_cursor: str | None = None
    high_watermark: dt.datetime | None = None
    complete: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Company:
    """A company the ERP keeps books for."""

    code: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ping:
    """What an ERP says about itself."""

    product: str
    server_time: dt.datetime
    companies: tuple[Company, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LinePair:
    """A line number as it was sent, and as the ERP keeps it."""

    sent: int
    kept: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Written:
    """A write's answer, before it becomes a ``WriteResult``."""

    erp_id: str
    version: str = ""
    line_map: tuple[LinePair, ...] = ()
    messages: tuple[Issue, ...] = ()

    def result(self) -> WriteResult:
        """In the port's form."""
        lines = {pair.sent: pair.kept for pair in self.line_map}
        return WriteResult(self.erp_id, self.version, lines, self.messages)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Progress:
    """The operations of one work order."""

    work_order: str
    operations: tuple[Operation, ...] = ()
