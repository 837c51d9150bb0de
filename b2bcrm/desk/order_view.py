"""How the order page shows its facts: chip, life line, banner.

Pure over ``OrderFacts``: no SELECT. Sentences are Messages; the templates render them. ``short``
writes a date in the reader's manner without its weekday.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from b2bcrm.desk.order_facts import Head, LineRow, OrderFacts
from b2bcrm.desk.order_rows import REFUSED, STATE_CHIPS
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.money import Money, digits
from b2bcrm.kernel.words import Message, show_decimal
from b2bcrm.orders.lifecycle import ErpSync, OrderState, Stage, Status, last_of_all
from b2bcrm.orders.models import policy_words
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
    if head.state in STATE_CHIPS:
        return STATE_CHIPS[head.state]
    if head.erp_sync is ErpSync.REFUSED:
        return REFUSED
    if head.hold_reason is not None and head.status is not Status.LATE:
        return "risk", Message("On hold")
    if head.status is None or head.status_reason is None:
        return "idle", Message("Not projected yet")
    return head.status.value, head.status_reason


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
    head, known = facts.head, facts.head.stages or {}
    current = Stage.DELIVERED if head.state is OrderState.CLOSED else head.stage or Stage.ORDER
    stages = [_inquiry(head), _quote(head), _order(head)]
    for where, make in (
        (Stage.MATERIAL, _material),
        (Stage.PRODUCTION, _production),
        (Stage.SHIPPING, _shipping),
        (Stage.DELIVERED, _delivered),
    ):
        view = _share(known.get(where.value), head.state, current, where)
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
    if head.state is OrderState.CANCELLED:
        return StageView(status="idle", on=head.closed_at, note=Message("cancelled"))
    if head.confirmed_at is None:
        return StageView(status="risk", on=head.ordered_on, note=Message("not confirmed"))
    if head.amendment_no:
        note = Message("amendment %(n)s", n=head.amendment_no)
    else:
        note = Message("confirmed")
    return StageView(status="done", on=head.ordered_on, note=note)


def _chain(facts: OrderFacts, kinds: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for row in facts.live_lines:
        for link in row.chain or ():
            if link["kind"] in kinds and not link["finished"] and link["end"]:
                yield link


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
    late = facts.head.status is Status.LATE
    return _dated(view, list(_chain(facts, ("purchase_order", "stock"))), short, late=late)


def _production(facts: OrderFacts, view: StageView, short: Short) -> StageView:
    late = facts.head.status is Status.LATE
    return _dated(view, list(_chain(facts, ("work_order",))), short, late=late)


def _shipping(facts: OrderFacts, view: StageView, short: Short) -> StageView:
    if facts.shipments:
        view.on = facts.shipments[0].shipped_on
        return view
    planned = [line.planned_on for line in facts.live_lines if line.planned_on]
    if planned:
        view.when = Message("plan %(day)s", day=short(max(planned)))
    return view


def _delivered(facts: OrderFacts, view: StageView, short: Short) -> StageView:
    head = facts.head
    if view.status == "done":
        days = [s.delivered_on for s in facts.shipments if s.delivered_on]
        view.on = max(days, default=head.closed_at)
        return view
    if head.promised_on:
        view.when = Message("promised %(day)s", day=short(head.promised_on))
    if head.projected_on and head.projected_on != head.promised_on:
        view.note = Message("now %(day)s", day=short(head.projected_on))
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
    head, lines = facts.head, facts.live_lines
    if head.partial_delivery:
        lines = [ln for ln in lines if ln.line_no == head.deciding_line_no] or lines
    if not lines:
        return Dates(None, None, "")
    still = [ln for ln in lines if ln.promised_on or ln.delivered_qty < ln.due_qty]
    first = last_of_all(ln.first_promised_on for ln in still)
    promised = last_of_all(ln.promised_on for ln in still)
    note: Message | str = ""
    if first is None and promised is not None:
        note = Message("not confirmed yet")
    elif first != promised and first is not None:
        note = Message("first promised %(day)s", day=short(first))
    elif promised is not None and head.confirmed_at is not None:
        note = Message("first promise, given %(day)s", day=short(local(head.confirmed_at)))
    return Dates(max(ln.requested_on for ln in lines), promised, note)


def local(at: dt.date) -> dt.date:
    """The day in the home zone."""
    return at.astimezone(HOME_ZONE).date() if isinstance(at, dt.datetime) else at


def amount_in(value: Decimal, currency: str) -> str:
    """An amount with its currency's own decimals."""
    return show_decimal(value, digits(currency))


class RowView(NamedTuple):
    """A row of the table of lines. ``amend`` is where it is changed, empty if it may not be.

    ``policy`` says how it may leave, None: as ever.
    """

    line: LineRow
    name: str
    net: Money
    status: str
    word: Message
    amend: str
    policy: Message | None


def rows(facts: OrderFacts, today: dt.date, locale: str, *, amend: bool) -> list[RowView]:
    """All lines, the cancelled ones without colour, each with what its row shows and no more."""
    head, found = facts.head, []
    for line in facts.lines:
        if line.cancelled:
            status, word = "idle", Message("Cancelled")
        else:
            verdict, word = line.verdict(head, today)
            status = verdict.value
        name = line.description if locale == "en" else ""
        net = Money(line.net, head.currency)
        path = f"/orders/{head.no}/lines/{line.line_no}/amend" if amend else ""
        policy = None if line.cancelled else _policy(head, line, facts.live_lines)
        shown = line._replace(lost=None, chain=None, sure=None, in_two=None)
        found.append(RowView(shown, name or line.name_in(locale), net, status, word, path, policy))
    return found


def _policy(head: Head, line: LineRow, lines: Sequence[LineRow]) -> Message | None:
    """How the line may leave: a complete delivery leaves whole, whatever its lines say."""
    if not head.partial_delivery:
        return policy_words("", (), None, line.unit, line.max_late_days)
    label = line.leaves_with
    others = [
        one.line_no
        for one in lines
        if label and one.leaves_with == label and not one.cancelled and one.id != line.id
    ]
    return policy_words(label, others, line.least_shipment, line.unit, line.max_late_days)


def in_two(line: LineRow) -> Message | None:
    """What the plan sends ahead, and when the rest leaves."""
    if line.in_two is None:
        return None
    on, rest_on = (dt.date.fromisoformat(line.in_two[name]) for name in ("on", "rest_on"))
    qty = show_decimal(Decimal(line.in_two["qty"]))
    return Message("%(qty)s leave on %(on)s, the rest on %(rest)s.", qty=qty, on=on, rest=rest_on)


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
    head = facts.head
    return (
        _erp_banner(facts)
        or _difference_banner(facts)
        or _people_banner(facts, obstacle)
        or _late_banner(facts)
        or (
            Banner("idle", Message("Waiting for the ERP since %(at)s.", at=_clock(head.erp_since)))
            if head.erp_sync is ErpSync.WAITING
            else None
        )
    )


def _erp_banner(facts: OrderFacts) -> Banner | None:
    head = facts.head
    at, reason = _clock(head.erp_since), head.erp_reason
    if head.erp_sync is ErpSync.REFUSED:
        title = Message("The ERP refused this order at %(at)s.", at=at)
        return Banner("late", title, reason, act="send-again", monitor=True)
    if head.erp_sync is ErpSync.LEFT_OUT:
        title = Message("Not in the ERP.")
        if head.erp_no:
            title = Message("The ERP is not told of changes of this order any more.")
        return Banner("late", title, reason, act="send-again", monitor=True)
    if head.erp_sync is ErpSync.UNKNOWN:
        title = Message("Sent to the ERP at %(at)s, but no answer came back.", at=at)
        text = Message("It is looked up there before it is sent again; nothing can be doubled.")
        return Banner("risk", title, text, act="send-again", monitor=True)
    if head.erp_sync is ErpSync.WAITING and reason is not None and not head.differences:
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
    head = facts.head
    if head.ended:
        return None
    if head.hold_reason is not None:
        title = Message("On hold since %(at)s.", at=_clock(head.held_at))
        return Banner("risk", title, head.hold_reason, act="release")
    if head.state is OrderState.SUBMITTED:
        reason = obstacle()
        if reason is not None:
            return Banner("risk", Message("This order cannot be confirmed yet."), reason)
        title = Message("This order waits for our confirmation.")
        text = Message("Nothing speaks against it: dates and account are complete.")
        return Banner("risk", title, text, act="confirm")
    return None


def _late_banner(facts: OrderFacts) -> Banner | None:
    head = facts.head
    if head.status is not Status.LATE or head.cause is None:
        return None
    title = Message(
        "Line %(line)s decides: %(cause)s",
        line=head.deciding_line_no,
        cause=head.cause,
    )
    return Banner("late", title, head.next_step)


def _clock(at: dt.datetime | None) -> str:
    return "–" if at is None else f"{at.astimezone(HOME_ZONE):%m-%d %H:%M}"
