"""The past of every order that began here: its inquiry, its quote's revisions, its instants.

Also the quotes that were lost or ran out. What is still open is ``pipeline``'s.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import random
from decimal import Decimal

from b2bcrm.demo import phrases
from b2bcrm.demo.deals import Asked, Deal, Wish
from b2bcrm.demo.facts import Facts
from b2bcrm.demo.orders import LoadedOrder, OrderBook
from b2bcrm.demo.rows import Row
from b2bcrm.demo.scene import SYSTEM, Customer, Person, Scene, at
from b2bcrm.kernel.words import Message, show_decimal
from b2bcrm.orders import events
from b2bcrm.orders.lifecycle import FINAL, OrderState
from b2bcrm.orders.models import Origin
from b2bcrm.quotes.lifecycle import Channel, LossReason, QuoteState

STORY_PO = "4500-77812"
STORY_QUOTE = 2168
_LOST_PER_WON = 0.35 / 0.65
_EXPIRED_PER_WON = 0.08
_INQUIRED = 0.72
_LOSSES = (
    (LossReason.PRICE, LossReason.DATE, LossReason.COMPETITOR, LossReason.CANCELLED,
     LossReason.TECHNICAL, LossReason.NO_ANSWER),
    (34, 26, 17, 13, 5, 5),
)  # fmt: skip
_CHANNELS = ((Channel.MAIL, Channel.PORTAL, Channel.PHONE, Channel.VISIT), (45, 35, 15, 5))
_RIVALS = ("Kofu Drive", "Reiter Getriebe", "Pacific Motion", "華暘傳動", "东南传动")
_SHIPPED_AT, _CLOSED_AT = 16 * 60, 17 * 60
_DAY_BEGINS, _DAY_ENDS = 9 * 60, 16 * 60 + 40


def won(scene: Scene, order: LoadedOrder) -> Deal:
    """The deal that an order came from; the order's own facts decide its last revision."""
    rng = scene.rng("won", order.row["no"])
    row = order.row
    customer = scene.customers[row["account_id"]]
    told = row["customer_po"] == STORY_PO
    accepted_at = at(row["ordered_on"], 14 * 60 + 48 if told else _minute(rng))
    revisions = 3 if told else rng.choices((1, 2, 3), (60, 29, 11))[0]
    begun, sent = _revisions(scene, rng, customer, row["ordered_on"], revisions)
    deal = Deal(
        customer=customer,
        lines=[
            Wish(
                item_id=line.row["item_id"],
                qty=line.row["ordered_qty"],
                list_price=line.row["unit_price"],
                discount_pct=line.row["discount_pct"],
                wanted_on=line.row["requested_on"],
                promised_on=line.row["first_promised_on"],
                line_no=line.row["line_no"],
            )
            for line in order.lines
        ],
        begun=begun,
        sent=sent,
        state=QuoteState.ACCEPTED,
        buyer=_buyer(rng, customer, told=told),
        closed_at=accepted_at,
        opened_at=min(sent[-1] + dt.timedelta(minutes=rng.randint(20, 240)), accepted_at),
        decision_on=row["ordered_on"] + dt.timedelta(days=rng.randint(-5, 6)),
        win_pct=rng.choice((50, 60, 70, 80, 90)),
        ship_to_id=row["ship_to_id"],
        customer_po=row["customer_po"],
        order_id=row["id"],
        order_no=row["no"],
        terms=(row["incoterm"], row["incoterm_place"], row["payment_terms"]),
        fixed_no=STORY_QUOTE if told else None,
    )
    if told or rng.random() < _INQUIRED:
        deal.asked = _asked(scene, rng, deal, Channel.MAIL if told else None)
    return deal


def _minute(rng: random.Random) -> int:
    return rng.randint(_DAY_BEGINS, _DAY_ENDS)


def _buyer(rng: random.Random, customer: Customer, *, told: bool = False) -> Person:
    people = customer.people
    return people[0] if told or rng.random() < 0.8 else rng.choice(people)  # noqa: PLR2004


def _revisions(
    scene: Scene, rng: random.Random, customer: Customer, end: dt.date, count: int
) -> tuple[list[dt.datetime], list[dt.datetime]]:
    """Instants at which each revision was begun and sent, the last one before ``end``."""
    begun: list[dt.datetime] = []
    sent: list[dt.datetime] = []
    day = scene.past_workday(customer, end, rng.randint(1, 6))
    for _ in range(count):
        minute = rng.randint(_DAY_BEGINS, 14 * 60)
        begun.insert(0, at(day, minute))
        sent.insert(0, at(day, minute + rng.randint(20, 150)))
        day = scene.past_workday(customer, day, rng.randint(2, 6))
    return begun, sent


def _asked(scene: Scene, rng: random.Random, deal: Deal, channel: Channel | None) -> Asked:
    channel = channel or rng.choices(*_CHANNELS)[0]
    if deal.buyer.user_id is None and channel is Channel.PORTAL:
        channel = Channel.MAIL
    first = (deal.begun[0] + dt.timedelta(hours=8)).date()
    day = scene.past_workday(deal.customer, first, rng.randint(1, 3))
    subject, text = phrases.inquiry(rng, deal.customer.language, scene.items[deal.lines[0].item_id])
    return Asked(at(day, _minute(rng)), channel, subject, text)


def unwon(scene: Scene, book: OrderBook, begin: dt.date) -> list[Deal]:
    """Quotes that were lost or ran out, after the pattern of the orders of the time."""
    sources = [order for order in book.orders if order.ours and order.row["ordered_on"] > begin]
    rng = scene.rng("unwon")
    wanted = [
        *(["lost"] * round(len(sources) * _LOST_PER_WON)),
        *(["expired"] * round(len(sources) * _EXPIRED_PER_WON)),
    ]
    deals = [_unwon(scene, rng.choice(sources), kind, n) for n, kind in enumerate(wanted)]
    return [deal for deal in deals if deal is not None]


def _unwon(scene: Scene, like: LoadedOrder, kind: str, n: int) -> Deal | None:
    """A quote as the customer of ``like`` asked for it about that time; None if undecided yet."""
    rng = scene.rng("unwon", n)
    customer = scene.customers[like.row["account_id"]]
    day = customer.calendar.next_working(
        like.row["ordered_on"] + dt.timedelta(days=rng.randint(-9, 9))
    )
    begun, sent = _revisions(scene, rng, customer, day, rng.choices((1, 2, 3), (66, 26, 8))[0])
    last = (sent[-1] + dt.timedelta(hours=8)).date()
    lines = new_lines(scene, rng, customer, like, last)
    if not lines:
        return None
    deal = Deal(
        customer=customer,
        lines=lines,
        begun=begun,
        sent=sent,
        state=QuoteState.LOST if kind == "lost" else QuoteState.EXPIRED,
        buyer=_buyer(rng, customer),
        decision_on=last + dt.timedelta(days=rng.randint(8, 40)),
        win_pct=rng.choice((10, 20, 30, 40, 50, 60)),
        ship_to_id=next(iter(customer.ship_tos), None),
    )
    if kind == "lost":
        closed_on = customer.calendar.add_days(last, rng.randint(2, 18))
        deal.closed_at = at(closed_on, _minute(rng))
        deal.reason = rng.choices(*_LOSSES)[0]
        deal.comment = phrases.loss(rng, customer.language, deal.reason)
        if deal.reason in {LossReason.COMPETITOR, LossReason.PRICE}:
            deal.competitor = rng.choice(_RIVALS)
    else:
        deal.closed_at = at(last + dt.timedelta(days=31), 60)
    if deal.closed_at >= scene.now - dt.timedelta(hours=20):
        return None
    if rng.random() < _INQUIRED:
        deal.asked = _asked(scene, rng, deal, None)
    return deal


def new_lines(
    scene: Scene, rng: random.Random, customer: Customer, like: LoadedOrder, day: dt.date
) -> list[Wish]:
    """What the customer of an order might also want: its items, other quantities, list prices."""
    lines: list[Wish] = []
    discount = Decimal(rng.choice((0, 0, 0, 3, 5, 8)))
    for line in rng.sample(like.lines, min(len(like.lines), rng.randint(1, 5))):
        item = scene.items[line.row["item_id"]]
        if item.kind.value == "service" or any(have.item_id == item.id for have in lines):
            continue
        factor = Decimal(str(rng.choice((0.5, 0.8, 1, 1.25, 1.5, 2))))
        qty = Decimal(max(1, round(line.row["ordered_qty"] * factor)))
        price = scene.price(customer, item.id, qty)
        if price is None:
            continue
        ready = customer.calendar.add_days(day, item.lead_time_days + rng.randint(3, 15))
        wanted = ready + dt.timedelta(days=rng.choice((-14, -7, -3, 0, 0, 4)))
        lines.append(
            Wish(item.id, qty, price, discount, max(wanted, day), ready, 10 * (len(lines) + 1))
        )
    return lines


# ---------------------------------------------------------------------------------------- orders
def dress(scene: Scene, order: LoadedOrder, deal: Deal | None, facts: Facts) -> None:
    """Give an order the instants and the origin that its past says."""
    row, rng = order.row, scene.rng("order", order.row["no"])
    customer = scene.customers[row["account_id"]]
    if deal is None:
        row["confirmed_at"] = at(row["ordered_on"], _minute(rng))
        row["rate"] = scene.rate(row["currency"], row["ordered_on"])
        row["contact_id"] = customer.people[0].contact_id if customer.people else None
    else:
        row["confirmed_at"] = deal.closed_at
        row["rate"] = deal.rate
        row["origin"], row["quote_id"] = Origin.QUOTE, deal.quote_id
        row["contact_id"] = deal.buyer.contact_id
        for line in order.lines:
            item = scene.items[line.row["item_id"]]
            line.row["description"] = item.name_in(customer.language)[:300]
    row["erp_since"] = row["confirmed_at"] + dt.timedelta(minutes=1)
    row["changed_at"] = row["erp_since"]
    if row["state"] in FINAL:
        row["closed_at"] = row["changed_at"] = _ended_at(scene, order)
    for line in order.lines:
        if row["state"] is OrderState.CLOSED:
            line.row["produced_qty"] = line.row["delivered_qty"]
    _tell(order, deal, customer, facts)


def _ended_at(scene: Scene, order: LoadedOrder) -> dt.datetime:
    arrived = [part.delivered_on for line in order.lines for part in line.left if part.delivered_on]
    since: dt.datetime = order.row["erp_since"]
    updated = order.record.updated_at or scene.now
    ended = at(max(arrived), _CLOSED_AT) if arrived else updated
    return min(max(ended, since), scene.now)


def _tell(order: LoadedOrder, deal: Deal | None, customer: Customer, facts: Facts) -> None:
    row = order.row
    common = {
        "subject_id": row["id"],
        "order_id": row["id"],
        "account_id": row["account_id"],
        "no": row["no"],
    }
    by = deal.buyer if deal else SYSTEM
    origin, source = ("quote", deal.label) if deal else ("erp", row["erp_no"])
    submitted = events.OrderSubmitted(**common, origin=origin, source_no=source)
    facts.add(submitted, row["confirmed_at"], by)
    if deal is not None:
        promised = max(ln.row["first_promised_on"] for ln in order.lines)
        confirmed = events.OrderConfirmed(**common, amendment_no=0, promised_on=promised)
        facts.add(confirmed, row["confirmed_at"], by)
        facts.add(
            events.OrderAcceptedByErp(**common, erp_no=row["erp_no"]), row["erp_since"], SYSTEM
        )
    for line in order.lines:
        for part in line.left:
            shipped = events.LineShipped(
                **common,
                line_no=line.row["line_no"],
                qty=show_decimal(part.qty),
                unit=line.row["unit"],
            )
            facts.add(shipped, at(part.shipped_on, _SHIPPED_AT), SYSTEM)
    if row["state"] is OrderState.CLOSED:
        facts.add(events.OrderClosed(**common), row["closed_at"], SYSTEM)
    elif row["state"] is OrderState.CANCELLED and deal is None:
        gone = Message("it was cancelled there")
        facts.add(events.OrderChangedInErp(**common, what=gone), row["closed_at"], SYSTEM)
    elif row["state"] is OrderState.CANCELLED:
        row["amendment_no"] = 1
        reason = phrases.cancelled(customer.language)
        cancelled = events.OrderCancelled(**common, amendment_no=1, reason=reason)
        facts.add(cancelled, row["closed_at"], customer.owner)


def revision(order: LoadedOrder, deal: Deal) -> Row:
    """The sealed snapshot of what was confirmed, as ``orders.actions.life.snapshot`` makes it."""
    row = order.row
    content = {
        "no": row["no"],
        "customer_po": row["customer_po"],
        "currency": row["currency"],
        "total": str(row["total"]),
        "incoterm": f"{row['incoterm']} {row['incoterm_place']}".strip(),
        "payment_terms": row["payment_terms"],
        "lines": [
            {
                "line_no": line["line_no"],
                "item_id": line["item_id"],
                "qty": str(line["ordered_qty"]),
                "unit_price": str(line["unit_price"]),
                "discount_pct": str(line["discount_pct"]),
                "net": str(line["net"]),
                "requested_on": line["requested_on"].isoformat(),
                "promised_on": line["first_promised_on"].isoformat(),
                "cancelled": False,
            }
            for line in (ln.row for ln in order.lines)
        ],
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return {
        "order_id": row["id"],
        "amendment_no": 0,
        "at": row["confirmed_at"],
        "by_name": deal.buyer.name,
        "reason": "",
        "snapshot": content,
        "digest": hashlib.sha256(text.encode()).hexdigest(),
    }
