"""How the quote editor shows its facts: lines, banner, life line. Pure: no SELECT, no Flask.

Sentences are Messages; the templates render them. ``short`` writes a date of the life line in the
reader's manner without its weekday, as on the order's page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from b2bcrm.catalog.models import Item
from b2bcrm.fulfillment.planning.sureness_paths import Sure
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.words import Message
from b2bcrm.quotes.lifecycle import CHANNEL_WORDS, STATUS, QuoteState
from b2bcrm.quotes.models import InquiryLine, QuoteLine
from b2bcrm.quotes.pricing import (
    MARGIN_FLOOR,
    MARGIN_TARGET,
    Break,
    Margin,
    Objection,
    PricedLine,
    Saving,
    Totals,
    add_up,
    break_for,
    saving,
)
from b2bcrm.quotes.queries import Change, Opened, Paid, changes

METER_FULL = 50  # a margin of 50 % fills the meter
SOON_DAYS = 3


def meter_share(pct: Decimal | None) -> int:
    """Where a margin stands on the meter, 0 to 100."""
    return int(max(0, min(100, (pct or 0) * 100 / METER_FULL)))


METER_MARKS = (meter_share(MARGIN_FLOOR), meter_share(MARGIN_TARGET))


@dataclass(frozen=True, kw_only=True)
class LineView:
    """One row of the editor. ``late_days`` are working days after the wish, negative before."""

    line: QuoteLine
    item: Item
    steps: Sequence[Break]
    step: Break | None
    net: Money
    unit_net: Decimal
    margin: Margin
    hint: Saving | None
    late_days: int | None
    sure: Sure | None = None

    @property
    def ready(self) -> tuple[str, Message]:
        """Colour and words of the ready date against the wish."""
        if self.line.promised_on is None:
            return "late", Message("no date")
        if self.late_days is not None and self.late_days > 0:
            return "risk", Message("%(days)s wd after wish", days=self.late_days)
        return "ok", Message("on time")

    @property
    def status(self) -> str:
        """The edge of the row: its worst finding, empty if there is none."""
        ready = self.ready[0]
        return "" if ready == "ok" else ready


@dataclass(frozen=True)
class StageView:
    """One stage of the life line."""

    status: str = "idle"
    p: int | None = None
    plain: bool = True
    href: str = ""
    when: Message | str | None = None
    note: Message | None = None


@dataclass(frozen=True)
class BannerView:
    """The one thing to decide. ``lower`` is (line, discount) of a way out by one press."""

    status: str
    head: Message
    texts: tuple[Message, ...] = ()
    lower: tuple[int, Decimal] | None = None
    act: str = ""


@dataclass(frozen=True, kw_only=True)
class QuoteView:
    """Everything the editor's templates need beside the account's panel."""

    opened: Opened
    lines: Sequence[LineView]
    totals: Totals
    base_total: Money
    objections: Sequence[Objection]
    wishes: Sequence[InquiryLine]
    paid: Mapping[int, Paid]
    changes: Sequence[Change]
    editable: bool
    see_cost: bool
    deciding: LineView | None
    banner: BannerView | None = None
    stages: Sequence[StageView] = field(default_factory=tuple)


def view(
    opened: Opened,
    *,
    today: dt.date,
    calendar: WorkCalendar,
    objections: Sequence[Objection],
    wishes: Sequence[InquiryLine] = (),
    paid: Mapping[int, Paid] | None = None,
    sure: Mapping[int, Sure] | None = None,
    may_edit: bool,
    see_cost: bool,
    short: Callable[[dt.date], str],
) -> QuoteView:
    """Put the editor's facts together."""
    quote = opened.quote
    how_sure = sure or {}
    lines = [_line(opened, line, calendar, how_sure.get(line.line_no)) for line in quote.lines]
    totals = add_up(quote.priced(), quote.currency, quote.rate)
    dated = [ln for ln in lines if ln.line.promised_on is not None]
    complete = len(dated) == len(lines) and lines
    deciding = max(dated, key=lambda ln: ln.line.promised_on or today) if complete else None
    editable = may_edit and quote.state is QuoteState.DRAFT
    shown = QuoteView(
        opened=opened,
        lines=lines,
        totals=totals,
        base_total=totals.net.to(opened.facts.company.currency, quote.rate),
        objections=objections if editable else (),
        wishes=wishes if editable else (),
        paid=paid or {},
        changes=changes(opened.against, quote) if opened.against else (),
        editable=editable,
        see_cost=see_cost,
        deciding=deciding,
    )
    return QuoteView(
        **{
            **shown.__dict__,
            "banner": _banner(shown, today),
            "stages": tuple(_stages(shown, today, short)),
        }
    )


def _line(opened: Opened, line: QuoteLine, calendar: WorkCalendar, sure: Sure | None) -> LineView:
    quote = opened.quote
    steps = opened.facts.steps(line.item_id)
    priced = PricedLine(line.line_no, line.qty, line.list_price, line.discount_pct, line.unit_cost)
    late = None
    if line.promised_on is not None:
        late = calendar.days_between(line.wanted_on, line.promised_on)
    return LineView(
        line=line,
        item=opened.facts.items[line.item_id],
        steps=steps,
        step=break_for(steps, line.qty),
        net=priced.net(quote.currency),
        unit_net=line.list_price * (100 - line.discount_pct) / 100,
        margin=priced.margin(quote.currency, quote.rate),
        hint=saving(steps, line.qty, line.discount_pct, quote.currency),
        late_days=late,
        sure=sure,
    )


def _banner(shown: QuoteView, today: dt.date) -> BannerView | None:
    quote = shown.opened.quote
    if quote.state is QuoteState.DRAFT:
        return _draft_banner(shown) if shown.editable else None
    if quote.state is QuoteState.EXPIRED and quote.current:
        head = Message("Expired on %(day)s.", day=quote.valid_until)
        return BannerView("risk", head, (Message("Its dates are free again."),), act="revise")
    if quote.state is QuoteState.SENT and quote.current:
        left = (quote.valid_until - today).days
        if left <= SOON_DAYS:
            head = Message("The price is valid until %(day)s only.", day=quote.valid_until)
            return BannerView("risk", head, (_opened(shown),))
        if quote.held_until is not None and quote.held_until < today:
            head = Message("The dates were held until %(day)s.", day=quote.held_until)
            text = Message("They are asked again when the customer accepts.")
            return BannerView("risk", head, (text, _opened(shown)))
    return None


def _opened(shown: QuoteView) -> Message:
    at = shown.opened.quote.opened_at
    if at is None:
        return Message("The customer has not opened it yet.")
    return Message("The customer opened it on %(day)s.", day=at.astimezone(HOME_ZONE).date())


def _draft_banner(shown: QuoteView) -> BannerView | None:
    if shown.objections:
        first = shown.objections[0]
        lower = (first.line_no, first.lower_to) if first.lower_to is not None else None
        return BannerView(
            "risk",
            Message("A sales manager must send this quote."),
            tuple(o.reason for o in shown.objections[:3]),
            lower=lower,
        )
    if shown.wishes:
        head = Message("Wishes without an item: %(n)s.", n=len(shown.wishes))
        return BannerView("risk", head, (Message("Choose an item for each, below the lines."),))
    undated = [ln for ln in shown.lines if ln.line.promised_on is None]
    if undated:
        head = Message("Line %(line)s has no ready date yet.", line=undated[0].line.line_no)
        reason = undated[0].line.promise_reason
        return BannerView("late", head, (reason,) if reason else ())
    after = [ln for ln in shown.lines if ln.late_days is not None and ln.late_days > 0]
    if after:
        worst = max(after, key=lambda ln: ln.late_days or 0)
        head = Message(
            "Line %(line)s is ready %(days)s working days after the wish.",
            line=worst.line.line_no,
            days=worst.late_days,
        )
        reason = worst.line.promise_reason
        return BannerView("risk", head, (reason,) if reason else ())
    return None


def _stages(shown: QuoteView, today: dt.date, short: Callable[[dt.date], str]) -> list[StageView]:
    quote, inquiry = shown.opened.quote, shown.opened.facts.inquiry
    begun = shown.opened.revisions[0].created_at.astimezone(HOME_ZONE).date()
    first = StageView(status="idle")
    if inquiry is not None:
        received_on = inquiry.received_at.astimezone(HOME_ZONE).date()
        first = StageView(
            status="done",
            href=f"/inquiries/{inquiry.no}",
            when=Message("received %(day)s", day=short(received_on)),
            note=CHANNEL_WORDS[inquiry.channel],
        )
    state = "done" if quote.state is QuoteState.ACCEPTED else STATUS[quote.state]
    second = StageView(
        status="ok" if quote.state is QuoteState.DRAFT else state,
        p=100 if quote.state is QuoteState.ACCEPTED else 50,
        when=Message("rev %(letter)s, day %(n)s", letter=quote.letter, n=(today - begun).days + 1),
        note=Message("decision by %(day)s", day=short(quote.decision_on))
        if quote.decision_on
        else None,
    )
    third = StageView(
        when=Message("until %(day)s", day=short(quote.valid_until)),
        note=Message("dates held to %(day)s", day=short(quote.held_until))
        if quote.held_until
        else None,
    )
    ready = StageView()
    ready_on = shown.deciding.line.promised_on if shown.deciding else None
    if shown.deciding is not None and ready_on is not None:
        ready = StageView(
            when=Message("ready %(day)s", day=short(ready_on)),
            note=Message("line %(line)s decides", line=shown.deciding.line.line_no),
        )
    place = f"{quote.incoterm} {quote.incoterm_place}".strip()
    return [
        first,
        second,
        third,
        StageView(),
        StageView(),
        ready,
        StageView(when=place),
        StageView(),
    ]
