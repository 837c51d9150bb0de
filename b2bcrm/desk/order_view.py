"""How the order page shows its facts: chip, life line, banner.

Pure over ``OrderFacts``: no SELECT. Sentences are Messages; the templates render them. ``short``
writes a date in the reader's manner without its weekday.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from b2bcrm.desk.order_facts import Head, OrderFacts
from b2bcrm.desk.order_rows import REFUSED, STATE_CHIPS
from b2bcrm.fulfillment.models import LineProjection
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.money import Money, digits
from b2bcrm.kernel.words import Message, show_decimal
from b2bcrm.orders.lifecycle import ErpSync, OrderState, Stage, Status, last_of_all
from b2bcrm.orders.models import OrderLine
from b2bcrm.quotes.lifecycle import Channel

CHANNEL_NOTES = {
    Channel.PORTAL: Message("on the portal"),
    Channel.MAIL: Message("by e-mail"),
    Channel.PHONE: Message("by phone"),
    Channel.VISIT: Message("on a visit"),
}
Short = Callable[[dt.date], str]


def order_chip(head: Head) -> tuple[str, Message]:
    """Colour and words of the order: what people decided, then what is expected."""
    order, projection = head.order, head.projection
    if order.state in STATE_CHIPS:
        return STATE_CHIPS[order.state]
    if order.erp_sync is ErpSync.REFUSED:
        return REFUSED
    if order.hold_reason is not None and not (projection and projection.status is Status.LATE):
        return "risk", Message("On hold")
    if projection is None:
        return "idle", Message("Not projected yet")
    return projection.status.value, projection.status_reason


# -------------------------------------------------------------------------------- the life line


@dataclass(kw_only=True)
class StageView:
    """One stage of the life line; ``on`` is when it was reached, ``when`` when it is planned."""

    status: str = "idle"
    p: int | None = None
    plain: bool = False
    href: str = ""
    on: dt.date | dt.datetime | None = None
    when: Message | None = None
    slip: Message | None = None
    note: Message | str | None = None


def lifeline(facts: OrderFacts, short: Short) -> tuple[list[StageView], int]:
    """The eight stages with what is planned and what slipped, and where the order is now."""
    head, order = facts.head, facts.head.order
    known = head.projection.stages if head.projection else {}
    current = head.projection.stage if head.projection else Stage.ORDER
    if order.state is OrderState.CLOSED:
        current = Stage.DELIVERED
    stages = [_inquiry(head), _quote(head), _order(head)]
    for where, make in (
        (Stage.MATERIAL, _material),
        (Stage.PRODUCTION, _production),
        (Stage.SHIPPING, _shipping),
        (Stage.DELIVERED, _delivered),
    ):
        view = _share(known.get(where.value), order.state, current, where)
        stages.append(make(facts, view, short))
    stages.append(_service(facts))
    return stages, list(Stage).index(current)


def _share(
    cell: dict[str, Any] | None, state: OrderState, current: Stage, where: Stage
) -> StageView:
    if state is OrderState.CLOSED:
        return StageView(status="done")
    if cell is None or state is OrderState.CANCELLED:
        return StageView()
    found = StageView(status=cell["status"])
    if cell["status"] != "done" and (cell["pct"] or where is current):
        found.p = cell["pct"]
        if cell["status"] == "idle" and cell["pct"]:
            found.status = "ok"
    return found


def _inquiry(head: Head) -> StageView:
    if head.inquiry_no is None:
        return StageView(note=Message("not recorded"))
    note = CHANNEL_NOTES.get(head.inquiry_channel) if head.inquiry_channel else None
    href = f"/inquiries/{head.inquiry_no}"
    return StageView(status="done", on=head.inquiry_at, note=note, href=href)


def _quote(head: Head) -> StageView:
    if head.quote_no is None:
        return StageView(note=Message("not recorded"))
    return StageView(
        status="done",
        on=head.quote_accepted_at,
        note=head.quote_label,
        href=f"/quotes/{head.quote_no}",
    )


def _order(head: Head) -> StageView:
    order = head.order
    if order.state is OrderState.CANCELLED:
        return StageView(status="idle", on=order.closed_at, note=Message("cancelled"))
    if order.confirmed_at is None:
        return StageView(status="risk", on=order.ordered_on, note=Message("not confirmed"))
    if order.amendment_no:
        note = Message("amendment %(n)s", n=order.amendment_no)
    else:
        note = Message("confirmed")
    return StageView(status="done", on=order.ordered_on, note=note)


def _chain(facts: OrderFacts, kinds: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for row in facts.live_lines:
        for link in row.projection.chain if row.projection else ():
            if link["kind"] in kinds and not link["finished"] and link["end"]:
                yield link


def _late(facts: OrderFacts) -> bool:
    projection = facts.head.projection
    return projection is not None and projection.status is Status.LATE


def _dated(view: StageView, links: list[dict[str, Any]], short: Short, *, late: bool) -> StageView:
    """The link that comes last: when it was planned at first, and when it is expected now."""
    if view.status == "done" or not links:
        return view
    last = max(links, key=lambda link: link["end"])
    now = dt.date.fromisoformat(last["end"])
    plan = dt.date.fromisoformat(last["was"]) if last["was"] else now
    view.when = Message("plan %(day)s", day=short(plan))
    if now > plan and last["delay"]:
        view.slip = Message("now %(day)s, +%(days)s wd", day=short(now), days=last["delay"])
        if late and last["critical"]:
            view.status = "late"
    elif now != plan:
        view.note = Message("now %(day)s", day=short(now))
    return view


def _material(facts: OrderFacts, view: StageView, short: Short) -> StageView:
    return _dated(view, list(_chain(facts, ("purchase_order", "stock"))), short, late=_late(facts))


def _production(facts: OrderFacts, view: StageView, short: Short) -> StageView:
    return _dated(view, list(_chain(facts, ("work_order",))), short, late=_late(facts))


def _shipping(facts: OrderFacts, view: StageView, short: Short) -> StageView:
    if facts.shipments:
        view.on = facts.shipments[0].shipment.shipped_on
        return view
    planned = [row.line.planned_on for row in facts.live_lines if row.line.planned_on]
    if planned:
        view.when = Message("plan %(day)s", day=short(max(planned)))
    return view


def _delivered(facts: OrderFacts, view: StageView, short: Short) -> StageView:
    if view.status == "done":
        days = [s.shipment.delivered_on for s in facts.shipments if s.shipment.delivered_on]
        view.on = max(days, default=facts.head.order.closed_at)
        return view
    projection = facts.head.projection
    if projection is None:
        return view
    if projection.promised_on:
        view.when = Message("promised %(day)s", day=short(projection.promised_on))
    if projection.projected_on and projection.projected_on != projection.promised_on:
        view.note = Message("now %(day)s", day=short(projection.projected_on))
    return view


def _service(facts: OrderFacts) -> StageView:
    if not facts.cases:
        return StageView()
    unsolved = sum(case.state.value in {"open", "waiting"} for case in facts.cases)
    note = Message("open cases: %(open)s of %(n)s", n=len(facts.cases), open=unsolved)
    return StageView(
        status="risk" if unsolved else "done",
        plain=True,
        on=facts.cases[0].opened_at,
        note=note,
        href="#cases",
    )


# ------------------------------------------------------------------------- title block and lines


@dataclass(frozen=True)
class Dates:
    """Requested and promised: of the line that decides, or of the whole."""

    requested: dt.date | None
    promised: dt.date | None
    promised_note: Message | str


def dates(facts: OrderFacts, short: Short) -> Dates:
    """What the customer wished and what we said, with the history in a few words.

    Delivery in parts: of the line that decides. Complete: the last of all lines.
    """
    projection, lines = facts.head.projection, [row.line for row in facts.live_lines]
    if facts.head.order.partial_delivery:
        decides = projection.deciding_line_no if projection else None
        lines = [ln for ln in lines if ln.line_no == decides] or lines
    if not lines:
        return Dates(None, None, "")
    still = [ln for ln in lines if ln.promised_on or ln.delivered_qty < ln.ordered_qty]
    first = last_of_all(ln.first_promised_on for ln in still)
    promised = last_of_all(ln.promised_on for ln in still)
    note: Message | str = ""
    confirmed_at = facts.head.order.confirmed_at
    if first is None and promised is not None:
        note = Message("not confirmed yet")
    elif first != promised and first is not None:
        note = Message("first promised %(day)s", day=short(first))
    elif promised is not None and confirmed_at is not None:
        note = Message("first promise, given %(day)s", day=short(local(confirmed_at)))
    return Dates(max(ln.requested_on for ln in lines), promised, note)


def local(at: dt.date) -> dt.date:
    """The day in the home zone."""
    return at.astimezone(HOME_ZONE).date() if isinstance(at, dt.datetime) else at


def amount_in(value: Decimal, currency: str) -> str:
    """An amount with its currency's own decimals."""
    return show_decimal(value, digits(currency))


@dataclass(frozen=True)
class RowView:
    """A row of the table of lines."""

    line: OrderLine
    item_no: str
    name: str
    net: Money
    projection: LineProjection | None
    status: str
    word: Message


def rows(facts: OrderFacts, today: dt.date, locale: str) -> list[RowView]:
    """All lines, the cancelled ones without colour."""
    order, found = facts.head.order, []
    for row in facts.lines:
        if row.line.cancelled:
            status, word = "idle", Message("Cancelled")
        else:
            verdict, word = row.verdict(order, today)
            status = verdict.value
        name = row.line.description if locale == "en" else ""
        found.append(
            RowView(
                line=row.line,
                item_no=row.item_no,
                name=name or row.name_in(locale),
                net=Money(row.line.net, order.currency),
                projection=row.projection,
                status=status,
                word=word,
            )
        )
    return found


# ------------------------------------------------------------------------------------ the banner


@dataclass(frozen=True)
class Banner:
    """The one thing to decide. ``act`` opens its dialog; ``link`` leads to the monitor."""

    status: str
    title: Message
    text: Message | str | None = None
    act: str = ""
    monitor: bool = False


def banner(facts: OrderFacts, obstacle: Callable[[], Message | None]) -> Banner | None:
    """ERP first (nothing happens without it), then what people hold up, then what slips."""
    order = facts.head.order
    return (
        _erp_banner(facts)
        or _difference_banner(facts)
        or _people_banner(facts, obstacle)
        or _late_banner(facts)
        or (
            Banner("idle", Message("Waiting for the ERP since %(at)s.", at=_clock(order.erp_since)))
            if order.erp_sync is ErpSync.WAITING
            else None
        )
    )


def _erp_banner(facts: OrderFacts) -> Banner | None:
    order = facts.head.order
    at, reason = _clock(order.erp_since), order.erp_reason
    if order.erp_sync is ErpSync.REFUSED:
        title = Message("The ERP refused this order at %(at)s.", at=at)
        return Banner("late", title, reason, act="send-again", monitor=True)
    if order.erp_sync is ErpSync.LEFT_OUT:
        title = Message("Not in the ERP.")
        if order.erp_no:
            title = Message("The ERP is not told of changes of this order any more.")
        return Banner("late", title, reason, act="send-again", monitor=True)
    if order.erp_sync is ErpSync.UNKNOWN:
        title = Message("Sent to the ERP at %(at)s, but no answer came back.", at=at)
        text = Message("It is looked up there before it is sent again; nothing can be doubled.")
        return Banner("risk", title, text, act="send-again", monitor=True)
    if order.erp_sync is ErpSync.WAITING and reason is not None and not facts.head.differences:
        title = Message("Waiting for the ERP since %(at)s.", at=at)
        return Banner("risk", title, reason, act="send-again", monitor=True)
    return None


def _difference_banner(facts: OrderFacts) -> Banner | None:
    count = facts.head.differences
    if not count:
        return None
    title = Message("The ERP holds something else than we agreed (%(n)s).", n=count)
    text = Message("Until somebody decides, no change of this order goes to the ERP.")
    return Banner("risk", title, text, act="differences")


def _people_banner(facts: OrderFacts, obstacle: Callable[[], Message | None]) -> Banner | None:
    order = facts.head.order
    if order.state in {OrderState.CLOSED, OrderState.CANCELLED}:
        return None
    if order.hold_reason is not None:
        title = Message("On hold since %(at)s.", at=_clock(order.held_at))
        return Banner("risk", title, order.hold_reason, act="release")
    if order.state is OrderState.SUBMITTED:
        reason = obstacle()
        if reason is not None:
            return Banner("risk", Message("This order cannot be confirmed yet."), reason)
        title = Message("This order waits for our confirmation.")
        text = Message("Nothing speaks against it: dates and account are complete.")
        return Banner("risk", title, text, act="confirm")
    return None


def _late_banner(facts: OrderFacts) -> Banner | None:
    projection = facts.head.projection
    if projection is None or projection.status is not Status.LATE or projection.cause is None:
        return None
    title = Message(
        "Line %(line)s decides: %(cause)s",
        line=projection.deciding_line_no,
        cause=projection.cause,
    )
    return Banner("late", title, projection.next_step)


def _clock(at: dt.datetime | None) -> str:
    return "–" if at is None else f"{at.astimezone(HOME_ZONE):%m-%d %H:%M}"
