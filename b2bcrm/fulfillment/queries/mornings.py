"""The morning report: what the board says now, beside what it said on the morning before.

Nothing is summed here. Figures, orders, parts, load, plan and ages are asked where the board asks
them; only which lines turned is found out, from the lines that were kept that morning.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account
from b2bcrm.documents.contents import firm_of
from b2bcrm.documents.mornings import (
    FeedState,
    FullWeek,
    KeyFigure,
    MorningContent,
    ShortPart,
    TroubledOrder,
    Turned,
    TurnedLine,
    Unit,
)
from b2bcrm.fulfillment.models import BoardMorning, LineProjection, OrderProjection
from b2bcrm.fulfillment.planning.figures import ShortRow
from b2bcrm.fulfillment.planning.progress import word_of
from b2bcrm.fulfillment.queries import board
from b2bcrm.fulfillment.queries.ages import data_age
from b2bcrm.fulfillment.queries.board import TROUBLED, BoardFilter, BoardRow
from b2bcrm.fulfillment.queries.choices import choices
from b2bcrm.fulfillment.queries.figures import Figures, figures, loads
from b2bcrm.fulfillment.queries.plans import plan_state
from b2bcrm.fulfillment.queries.sums import OPEN_STATUSES
from b2bcrm.kernel.organization import CalendarRow, Company, Site
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import Status
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.sync.words import entity_word

MOST_ORDERS, MOST_TURNED, MOST_PARTS, MOST_WEEKS = 40, 15, 20, 20

FIGURES: tuple[tuple[str, Message, Unit, int], ...] = (  # name, label, unit, which way is better
    ("otif_past", Message("OTIF, last 4 weeks"), Unit.PERCENT, 1),
    ("otif_next", Message("OTIF, next 4 weeks"), Unit.PERCENT, 1),
    ("orders", Message("Open orders"), Unit.COUNT, 0),
    ("late", Message("Orders late"), Unit.COUNT, -1),
    ("risk", Message("Orders at risk"), Unit.COUNT, -1),
    ("troubled_value", Message("Value late or at risk"), Unit.MONEY, -1),
    ("parts", Message("Short parts"), Unit.COUNT, -1),
    ("held_up", Message("Orders held up by short parts"), Unit.COUNT, -1),
)


@dataclass(frozen=True)
class Standing:
    """The board at one moment, as ``BoardMorning`` keeps it."""

    figures: dict[str, str | None]
    lines: dict[str, str]


def standing(work: Work) -> Standing:
    """What there is to keep of the board as it stands now."""
    values = _values(figures(work, BoardFilter()))
    lines = {str(key): status.value for key, status in _troubled_lines(work).items()}
    return Standing({name: None if v is None else str(v) for name, v in values.items()}, lines)


def is_reported(work: Work, day: dt.date) -> bool:
    """Whether the report of a day has been sent out."""
    return work.session.get(BoardMorning, day) is not None


def any_plant_works(work: Work, day: dt.date) -> bool:
    """Whether a site works on a day; Monday to Friday where none has a calendar."""
    query = sa.select(CalendarRow).where(
        CalendarRow.code.in_(sa.select(Site.calendar_code).distinct())
    )
    calendars = [row.value() for row in work.session.scalars(query)]
    if not calendars:
        return day.weekday() < 5  # noqa: PLR2004 - Saturday
    return any(calendar.is_working(day) for calendar in calendars)


def morning(work: Work, locale: str, base_url: str) -> MorningContent | None:
    """The report as of now; None before there is a company to report of. For staff only."""
    company = work.session.scalar(sa.select(Company).order_by(Company.id).limit(1))
    if company is None:
        return None
    shown = figures(work, BoardFilter(), all_parts=True)
    orders, order_count = board.rows(work, BoardFilter(), limit=MOST_ORDERS)
    plan = plan_state(work)
    before = work.session.scalar(
        sa.select(BoardMorning)
        .where(BoardMorning.day < work.today)
        .order_by(BoardMorning.day.desc())
        .limit(1)
    )
    return MorningContent(
        firm=firm_of(company, locale),
        language=locale,
        day=work.today,
        at=work.now,
        before_on=before.day if before else None,
        currency=company.currency,
        url=base_url,
        figures=_figures(_values(shown), before.figures if before else {}),
        turned=_turned(work, before.lines) if before else (),
        orders=tuple(map(_order, orders)),
        order_count=order_count,
        parts=tuple(map(_part, shown.parts[:MOST_PARTS])),
        part_count=shown.part_count,
        full_weeks=_full_weeks(work),
        problems=tuple((p.word, p.name) for p in plan.problems) if plan else (),
        problem_count=plan.count if plan else 0,
        refused=bool(plan and plan.refused),
        feeds=tuple(FeedState(name=entity_word(age.entity), as_of=age.as_of, too_old=age.too_old)
                    for age in data_age(work)),
    )  # fmt: skip


def _values(shown: Figures) -> dict[str, Decimal | None]:
    def percent(value: float | None) -> Decimal | None:
        return None if value is None else Decimal(value).quantize(Decimal("0.1"))

    return {
        "otif_past": percent(shown.otif.past.pct),
        "otif_next": percent(shown.otif.projected.pct),
        "orders": Decimal(shown.totals.orders),
        "late": Decimal(shown.totals.late),
        "risk": Decimal(shown.totals.risk),
        "troubled_value": shown.totals.troubled_value,
        "parts": Decimal(shown.part_count),
        "held_up": Decimal(shown.held_up),
    }


def _figures(
    now: Mapping[str, Decimal | None], before: Mapping[str, str | None]
) -> tuple[KeyFigure, ...]:
    return tuple(
        KeyFigure(
            label=label,
            unit=unit,
            better=better,
            now=now[name],
            before=None if (text := before.get(name)) is None else Decimal(text),
        )
        for name, label, unit, better in FIGURES
    )


def _troubled_lines(work: Work) -> dict[int, Status]:
    """Late and at-risk lines of open orders, the dearest first."""
    value = sa.type_coerce(OrderLine.net, sa.BigInteger) * Order.rate
    query = (
        sa.select(LineProjection.order_line_id, LineProjection.status)
        .join(OrderProjection, OrderProjection.order_id == LineProjection.order_id)
        .join(OrderLine, OrderLine.id == LineProjection.order_line_id)
        .join(Order, Order.id == LineProjection.order_id)
        .where(
            LineProjection.status.in_(TROUBLED),
            OrderProjection.status.in_(OPEN_STATUSES),
            sa.not_(OrderLine.cancelled),
        )
        .order_by(value.desc(), OrderLine.id)
    )
    return dict(work.session.execute(query).all())


def _turned(work: Work, before: Mapping[str, str]) -> tuple[Turned, ...]:
    """Lines that are late, at risk or in time since the morning before."""
    was = {int(key): Status(status) for key, status in before.items()}
    now = _troubled_lines(work)
    late = [key for key, s in now.items() if s is Status.LATE and was.get(key) is not Status.LATE]
    risk = [key for key, s in now.items() if s is Status.RISK and key not in was]
    back = [
        key
        for key, s in was.items()
        if key not in now or (s is Status.LATE and now[key] is Status.RISK)
    ]
    return (
        _group(work, Message("Newly late"), "late", late),
        _group(work, Message("Newly at risk"), "risk", risk),
        _group(work, Message("Came back"), "ok", back),
    )


def _group(work: Work, title: Message, status: str, ids: list[int]) -> Turned:
    return Turned(title=title, status=status, lines=_lines(work, ids[:MOST_TURNED]), count=len(ids))


def _lines(work: Work, ids: Iterable[int]) -> tuple[TurnedLine, ...]:
    wanted = list(ids)
    query = (
        sa.select(OrderLine, Order.no, Account.name, Item.no, LineProjection)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Account, Account.id == Order.account_id)
        .join(Item, Item.id == OrderLine.item_id)
        .outerjoin(LineProjection, LineProjection.order_line_id == OrderLine.id)
        .where(OrderLine.id.in_(wanted))
    )
    found: dict[int, TurnedLine] = {}
    for row in work.session.execute(query):
        line, order_no, customer, item_no = row[0], row[1], row[2], row[3]
        view: Any = row[4]
        found[line.id] = TurnedLine(
            order_no=order_no,
            line_no=line.line_no,
            customer=customer,
            item_no=item_no,
            promised_on=line.promised_on,
            projected_on=view.projected_on if view else None,
            text=Message("cancelled") if line.cancelled else _text(view),
        )
    return tuple(found[key] for key in wanted if key in found)


def _text(view: LineProjection | None) -> Message | None:
    if view is None:
        return None
    return view.cause if view.status in TROUBLED and view.cause else view.status_reason


def _order(row: BoardRow) -> TroubledOrder:
    return TroubledOrder(
        no=row.no,
        line_no=row.line_no,
        customer=row.account,
        value=row.base_value,
        status=row.status.value,
        promised_on=row.promised_on,
        projected_on=row.projected_on,
        days=-row.days if row.days is not None and row.days < 0 else None,
        reason=row.reason,
        cause=row.cause_word,
        why=row.cause,
        next_step=row.next_step,
        in_charge=row.in_charge or "",
    )


def _part(row: ShortRow) -> ShortPart:
    return ShortPart(
        item_no=row.item_no,
        item_name=row.item_name,
        qty=row.qty,
        document_no=row.document_no,
        need_on=row.need_on,
        supply_on=row.supply_on,
        slip_days=row.slip_days,
        orders=row.orders,
        value=row.value,
    )


def _full_weeks(work: Work) -> tuple[FullWeek, ...]:
    """The weeks whose hours do not fit, those furthest over first."""
    names = {code: name for code, name, _site in choices(work).centers}
    weeks = [
        FullWeek(center=word_of(names[code]), week=w.week, load=w.load, capacity=w.capacity)
        for code, found in loads(work, names).items()
        for w in found
        if w.over
    ]
    return tuple(sorted(weeks, key=lambda w: (-w.over, w.week))[:MOST_WEEKS])
