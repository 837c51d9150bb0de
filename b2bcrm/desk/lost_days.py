"""Where lines lost their working days, in words: on the order, the board and its lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

from b2bcrm.fulfillment.planning import figures
from b2bcrm.fulfillment.planning.lateness import SHARE_WORDS, Share
from b2bcrm.kernel.words import Message


class Lost(NamedTuple):
    """Working days that a line lost at one place; ``moved``: by a later promise.

    ``at``: the document, and the other line of the order that it is for; may be empty.
    """

    word: Message
    at: Message | str
    days: int
    moved: bool


def lost_of(shares: Iterable[Mapping[str, Any]] | None) -> list[Lost]:
    """A line's shares as its projection keeps them, in the order in which it lost the days."""
    found = [Share(**share) for share in shares or ()]
    return [Lost(SHARE_WORDS[one.kind], _at(one), one.days, one.moved) for one in found]


def _at(share: Share) -> Message | str:
    if not share.line:
        return share.no
    if not share.no:
        return Message("line %(line)s", line=share.line)
    return Message("%(no)s for line %(line)s", no=share.no, line=share.line)


def in_words(lost: Sequence[Lost]) -> Message | None:
    """All of it in one cell: ``supplier 3 (PO-33107), transport 1``."""
    told = [
        Message("%(where)s %(days)s (%(at)s)", where=one.word, days=one.days, at=one.at)
        if one.at
        else Message("%(where)s %(days)s", where=one.word, days=one.days)
        for one in lost
    ]
    if not told:
        return None
    return reduce(lambda a, b: Message("%(first)s, %(second)s", first=a, second=b), told)


class LostRow(NamedTuple):
    """The days of many lines at one kind of place; ``pct`` of the most lost at one."""

    kind: str
    word: Message
    days: int
    lines: int
    pct: int


def lost_rows(lost: Sequence[figures.Lost]) -> tuple[LostRow, ...]:
    """The board's rows, most days first."""
    most = max((one.days for one in lost), default=0)
    return tuple(
        LostRow(one.kind, SHARE_WORDS[one.kind], one.days, one.lines, 100 * one.days // most)
        for one in lost
    )
