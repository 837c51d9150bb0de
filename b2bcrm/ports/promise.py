"""Asking for dates: the one way quotes and orders get a promise.

``fulfillment`` implements ``Promising`` as an object bound to one Work; ``hold`` and
``convert`` run in the caller's transaction. Quantities are in the item's base unit. Dates are
the day the goods are ready to leave the site; a wish that names its account is answered with the
day of delivery to it (its Incoterm, transit and receiving days).
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.words import Message


class Mode(enum.StrEnum):
    """An inquiry holds nothing; a quote may hold what it was promised."""

    INQUIRY = "inquiry"
    QUOTE = "quote"
    ORDER = "order"


@dataclass(frozen=True)
class AskLine:
    """One wish. ``ref`` is the caller's own line number and comes back in the answer."""

    ref: str
    item_id: int
    qty: Decimal
    wanted_on: dt.date
    site_id: int | None = None
    account_id: int | None = None


@dataclass(frozen=True)
class Source:
    """A piece of the witness: what ``qty`` pieces come from.

    ``kind`` is stock, purchase_order, work_order, lead_time (bought anew) or planned_order (made
    anew). With an ``item_no`` it is a component of what is made anew; of kind capacity it is hours
    of the work centre ``document_no``, the last of them on ``available_on``.
    """

    kind: str
    document_no: str
    qty: Decimal
    available_on: dt.date
    item_no: str = ""


@dataclass(frozen=True)
class Answer:
    """``full_on`` is the first day the whole quantity can be had (None = no promise possible).

    ``by_wish_qty`` is what can be had by the wanted date. ``reason`` says in words what decides.
    ``data_as_of`` is the age of the oldest ERP feed used; ``firm`` False: that is more than is
    allowed, so the date may be shown but not promised (``reason`` says so).
    """

    ref: str
    full_on: dt.date | None
    by_wish_qty: Decimal
    reason: Message
    sources: tuple[Source, ...] = ()
    data_as_of: dt.datetime | None = None
    firm: bool = True


class PromiseMoved(Exception):
    """A worse date was found than the caller was shown; ``answers`` carry the new ones."""

    def __init__(self, answers: tuple[Answer, ...]) -> None:
        super().__init__("the date is no longer available")
        self.answers = answers


class DateMoved(Refused):
    """What people are told of a moved date; ``on`` is the new one, None if there is none."""

    code = "date_moved"

    def __init__(self, message: Message, *, on: dt.date | None) -> None:
        super().__init__(message)
        self.on = on
        self.facts = {} if on is None else {"promised_on": on.isoformat()}


def date_moved(answers: Sequence[Answer], shown: Mapping[str, dt.date]) -> DateMoved:
    """The one sentence for a date that got worse than ``shown``, naming the first such line."""
    for answer in answers:
        before = shown.get(answer.ref, dt.date.max)
        if answer.full_on is None:
            text = Message("The date of line %(line)s can no longer be promised.", line=answer.ref)
            return DateMoved(text, on=None)
        if answer.full_on > before:
            text = Message(
                "The date of line %(line)s has moved from %(before)s to %(after)s.",
                line=answer.ref,
                before=before,
                after=answer.full_on,
            )
            return DateMoved(text, on=answer.full_on)
    return DateMoved(Message("The dates have moved. Look at them again."), on=None)


class Promising(Protocol):
    """Ask, hold, release, convert, explain."""

    def ask(self, lines: Sequence[AskLine], mode: Mode) -> tuple[Answer, ...]:
        """Dates on top of everything already promised or held; takes no lock."""

    def hold(
        self, ref: str, lines: Sequence[AskLine], until: dt.date, *, at_worst: dict[str, dt.date]
    ) -> tuple[Answer, ...]:
        """Reserve for ``ref`` (a quote number with revision) until the end of ``until``.

        Raises PromiseMoved, holding nothing, when a line's date is later than its ``at_worst``,
        and Refused (``stale_feeds``) while the ERP data under it are older than allowed.
        An earlier hold of the same ``ref`` is replaced.
        """

    def release(self, ref: str) -> None:
        """Give back whatever ``ref`` holds."""

    def convert(
        self, quote_ref: str, order_ref: str, lines: Sequence[AskLine]
    ) -> tuple[Answer, ...]:
        """Turn a hold into the order's reservation; asks again where no live hold is left.

        What was held stays promised; asking again is Refused (``stale_feeds``) like a hold.
        """

    def extend(self, order_ref: str, line: AskLine, *, at_worst: dt.date | None) -> Answer:
        """Reserve added pieces of an order's line on top of what it has; ``line.qty`` is the more.

        Raises PromiseMoved, reserving nothing, when their date is later than ``at_worst``.
        """

    def reduce(self, order_ref: str, line_ref: str, by: Decimal | None = None) -> None:
        """Give back ``by`` pieces of what an order's line reserves, the latest first; None: all."""

    def record(self, order_ids: Sequence[int], *, kind: str, reason: Message) -> None:
        """Write the promise history of these orders' lines as they now stand, and project them.

        ``kind``: first, erp_first_seen, amended. Lines whose promised date did not change since
        the last entry get none. Called by orders in the Work that confirms, amends or pulls.
        """

    def why(self, ref: str) -> tuple[Answer, ...]:
        """The witness stored for a hold or an order's promises."""
