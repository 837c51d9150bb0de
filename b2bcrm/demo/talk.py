"""Touches: calls, mails and visits around orders and open quotes."""

# ruff: noqa: E501 - the story is read as rows of a table

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

from b2bcrm.customers.models import Touch, TouchKind
from b2bcrm.demo import phrases
from b2bcrm.demo.deals import Deal
from b2bcrm.demo.orders import LoadedOrder, OrderBook
from b2bcrm.demo.past import STORY_PO
from b2bcrm.demo.rows import Row, Rows
from b2bcrm.demo.scene import Customer, Person, Scene, at, local_day
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.quotes.lifecycle import QuoteState

_OPEN, _CLOSED = (3, 6), (0, 2)
_STORY: tuple[tuple[int, int, str, bool, int, str, str], ...] = (
    # working days ago, minute, kind, inbound, person, subject, text
    (10, 9 * 60 + 20, "mail", True, 0, "Purchase order 4500-77812", "Five lines as quoted, complete delivery please."),
    (8, 10 * 60 + 5, "mail", False, 0, "Drawings for 4500-77812", "Sent the released drawings of lines 10 and 20."),
    (6, 15 * 60 + 40, "call", False, 0, "Progress of the press line drives", "Told him that production has begun. He will bring the fitters on the 14th."),
    (4, 11 * 60 + 15, "mail", True, 2, "CAD of the rotary stage", "Asks for the STEP file of SW-25-100-U."),
    (2, 15 * 60 + 31, "portal", True, 0, "Looked at production and the confirmation", ""),
    (1, 16 * 60 + 5, "call", False, 0, "Test report per VDI 2156", "Wants the test report with the shipment. Noted on lines 10 and 20. 6 min."),
    (0, 9 * 60 + 12, "mail", True, 0, "4500-77812: delivery date", "Can you still hold {promised}? Commissioning of our line starts the day after."),
)  # fmt: skip
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def write_touches(
    scene: Scene, rows: Rows, book: OrderBook, deals: Sequence[Deal], share: float
) -> None:
    """Several per open order, some per closed one (``share`` of them), some per open quote."""
    found: list[Row] = []
    for order in book.orders:
        if order.row["customer_po"] == STORY_PO:
            found += _story(scene, order)
        else:
            found += _around(scene, order, share)
    for deal in deals:
        if deal.state is QuoteState.SENT:
            found += _follow_up(scene, deal)
    found = [row for row in found if row["at"] <= scene.now]
    found.sort(key=lambda row: row["at"])
    for row in found:
        row["id"] = rows.next_id(Touch)
    rows.put(Touch, found)


def _around(scene: Scene, order: LoadedOrder, share: float) -> list[Row]:
    rng = scene.rng("touch", order.row["no"])
    living = order.row["state"] is OrderState.CONFIRMED
    if not living and rng.random() > share:
        return []
    customer = scene.customers[order.row["account_id"]]
    count = rng.randint(*(_OPEN if living else _CLOSED))
    begin = order.row["ordered_on"]
    end = scene.today if living else local_day(order.row["closed_at"])
    said = phrases.of_touches(phrases.AFTER_ORDER, customer.language)
    return [
        _row(
            customer,
            _who(rng, customer),
            touched,
            at(_between(rng, customer, begin, end), rng.randint(9 * 60, 17 * 60)),
            {"order": order.row["no"]},
            order_id=order.row["id"],
        )
        for touched in rng.sample(said, min(count, len(said)))
    ]


def _who(rng: random.Random, customer: Customer) -> Person:
    return customer.people[0] if rng.random() < 0.7 else rng.choice(customer.people)  # noqa: PLR2004


def _between(rng: random.Random, customer: Customer, begin: dt.date, end: dt.date) -> dt.date:
    day = begin + dt.timedelta(days=rng.randint(0, max(0, (end - begin).days)))
    return min(customer.calendar.next_working(day), max(begin, end))


def _follow_up(scene: Scene, deal: Deal) -> list[Row]:
    rng = scene.rng("follow", deal.no)
    customer = deal.customer
    said = phrases.of_touches(phrases.AFTER_QUOTE, customer.language)
    begin = local_day(deal.sent[-1]) + dt.timedelta(days=1)
    if begin > scene.today:
        return []
    return [
        _row(
            customer,
            deal.buyer,
            touched,
            at(_between(rng, customer, begin, scene.today), rng.randint(9 * 60, 17 * 60)),
            {"quote": deal.no},
            quote_id=deal.quote_id,
        )
        for touched in rng.sample(said, rng.randint(0, 2))
    ]


def _story(scene: Scene, order: LoadedOrder) -> list[Row]:
    customer = scene.customers[order.row["account_id"]]
    last = _last_morning(scene, customer)
    promised = max(line.row["promised_on"] for line in order.lines)
    day = f"{promised.day} {_MONTHS[promised.month - 1]}"
    return [
        _row(
            customer,
            customer.people[min(person, len(customer.people) - 1)],
            (kind, inbound, subject, text),
            at(customer.calendar.add_days(last, -ago) if ago else last, minute),
            {"promised": day},
            order_id=order.row["id"],
        )
        for ago, minute, kind, inbound, person, subject, text in _STORY
    ]


def _last_morning(scene: Scene, customer: Customer) -> dt.date:
    """The last working day whose first touch of the story has been."""
    day = scene.today
    while at(day, _STORY[-1][1]) > scene.now or not customer.calendar.is_working(day):
        day -= dt.timedelta(days=1)
    return day


def _row(
    customer: Customer,
    person: Person,
    touched: phrases.Touched,
    moment: dt.datetime,
    words: dict[str, str],
    *,
    order_id: int | None = None,
    quote_id: int | None = None,
) -> Row:
    kind, inbound, subject, text = touched
    return {
        "account_id": customer.account.id,
        "contact_id": person.contact_id,
        "user_id": customer.owner.user_id,
        "order_id": order_id,
        "quote_id": quote_id,
        "case_id": None,
        "kind": TouchKind(kind),
        "inbound": inbound,
        "at": moment,
        "subject": subject.format(**words),
        "text": text.format(**words),
    }
