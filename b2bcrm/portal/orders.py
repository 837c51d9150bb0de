"""The customer's orders: his list, and the virtual factory in which his order is made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from b2bcrm.files.kinds import KIND_WORDS
from b2bcrm.fulfillment.planning.notices import Ahead
from b2bcrm.fulfillment.planning.progress import STATION_WORDS, STATIONS
from b2bcrm.fulfillment.queries.notices import NoticeRow
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.words import Message, show_date
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries as orders
from b2bcrm.orders.lifecycle import OrderState, Stage, Status, last_of_all
from b2bcrm.portal import order_facts, order_rows
from b2bcrm.portal.order_facts import Head, LineRow, News, OrderFacts
from b2bcrm.portal.order_rows import OrderRow, chip_of
from b2bcrm.service.lifecycle import STATE_WORDS as CASE_STATES
from b2bcrm.service.lifecycle import CaseState
from b2bcrm.web.export import Column, export
from b2bcrm.web.filters import manner
from b2bcrm.web.live import version_response
from b2bcrm.web.locale import current_locale, say
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import After, in_work

bp = Blueprint("portal_orders", __name__, template_folder="templates")

PER_PAGE = 25
MOST_DOTS = 60
DRAWINGS = {"BS": "screw", "LG": "guide", "RT": "table", "SW": "wave"}
COLUMNS: tuple[Column[OrderRow], ...] = (
    Column(Message("Order"), lambda r: r.no),
    Column(Message("Your order number"), lambda r: r.customer_po),
    Column(Message("Ordered"), lambda r: r.ordered_on),
    Column(Message("Requested"), lambda r: r.requested_on),
    Column(Message("Promised"), lambda r: r.promised_on),
    Column(Message("Expected"), lambda r: r.projected_on),
    Column(Message("Stage"), lambda r: r.stage_word),
    Column(Message("Status"), lambda r: r.chip[1]),
    Column(Message("Value"), lambda r: r.value),
    Column(Message("Currency"), lambda r: r.currency),
)
_ICONS = (
    ("order.confirmed", "circle-check"),
    ("order.line_shipped", "truck-delivery"),
    ("order.amended", "edit"),
    ("order.cancelled", "circle-x"),
    ("promise", "calendar-event"),
    ("shipment", "package"),
    ("case", "headset"),
    ("file", "file-text"),
)


@bp.get("/portal/orders")
@in_work(read_only=True)
def listing(work: Work) -> ResponseReturnValue | After:
    """The account's orders, open ones first."""
    wish = asked(
        sorts=tuple(order_rows.SORTS),
        default="promised",
        filters=("show", "q"),
        per_page=PER_PAGE,
    )
    rows, total = order_rows.orders(
        work,
        show=wish.get("show"),
        words=wish.get("q"),
        sort=wish.sort,
        descending=wish.descending,
        offset=wish.offset,
        limit=wish.limit,
    )
    if wish.format:
        return export(rows, COLUMNS, wish.format, "orders")
    return render_template(
        "portal/orders.html",
        listing=Listing(rows, total, wish),
        asked=wish,
    )


@bp.get("/portal/orders/<no>")
@in_work(read_only=True)
def page(work: Work, no: str) -> ResponseReturnValue:
    """One order; ``more`` shows all of its history."""
    facts = order_facts.order_facts(work, no, more="more" in request.args)
    head, today = facts.head, work.today
    per = dots_for(facts.lines)
    choices = [choice_of(notice, facts, today) for notice in facts.notices if notice.open]
    short = short_dates(today)
    return render_template(
        "portal/order.html",
        facts=facts,
        head=head,
        chip=chip_of(head.state, head.status, asked=bool(choices)),
        dates=dates(facts),
        stages=lifeline(facts, short),
        current=list(Stage).index(current_stage(head)),
        late=late_lines(facts),
        choices=choices,
        answers={notice.line_no: notice.answer for notice in facts.notices if notice.counts},
        to_confirm=[s for s in facts.shipments if s.delivered_on and not s.received_at],
        stations=[say(STATION_WORDS[code]) for code in STATIONS],
        floor=[floor_row(line, short) for line in facts.lines],
        in_the_factory=any(line.stations for line in facts.lines),
        per=per,
        days=days_of(facts.news),
        file_kinds=KIND_WORDS,
        case_states=CASE_STATES,
        has=current_app.view_functions.__contains__,
        locale=current_locale(),
    )


@bp.get("/portal/orders/<no>/version")
@in_work(read_only=True)
def version(work: Work, no: str) -> Response:
    """For the live page: grows with each change of the order."""
    return version_response(work, f"order:{orders.id_of(work, no)}")


def short_dates(today: dt.date) -> Callable[[dt.date], str]:
    """Writes dates without weekday, and without this year."""
    locale = current_locale()
    return lambda day: show_date(day, locale, year=day.year != today.year, weekday=False)


@dataclass(frozen=True)
class Dates:
    """What was wished, promised, and is expected now; of line ``line_no``, or of the whole."""

    requested: dt.date | None
    promised: dt.date | None
    expected: dt.date | None
    line_no: int | None = None


def dates(facts: OrderFacts) -> Dates:
    """Read from the lines that the page shows, so that it cannot say two things.

    Delivery in parts: those of the line that decides. Complete: the last of all lines.
    """
    head, lines = facts.head, facts.lines
    of_line = None
    if head.partial_delivery and len(lines) > 1:
        of_line = next((ln for ln in lines if ln.line_no == head.deciding_line_no), None)
    shown = [of_line] if of_line else lines
    promises = [ln.promised_on for ln in shown if ln.promised_on or not ln.delivered]
    return Dates(
        requested=max((ln.requested_on for ln in shown), default=None),
        promised=last_of_all(promises),
        expected=max((ln.projected_on for ln in shown if ln.projected_on), default=None),
        line_no=of_line.line_no if of_line else None,
    )


def late_lines(facts: OrderFacts) -> list[LineRow]:
    """What must be told: of a complete delivery nothing while the whole is in time."""
    head = facts.head
    if not head.partial_delivery and head.status is not Status.LATE:
        return []
    return [line for line in facts.lines if line.status is Status.LATE and not line.delivered]


class ChoiceRow(NamedTuple):
    """A later day that the customer is asked about; ``part`` are pieces that could come ahead."""

    notice: NoticeRow
    line: LineRow
    part: Ahead | None


def choice_of(notice: NoticeRow, facts: OrderFacts, today: dt.date) -> ChoiceRow:
    """What may be chosen at the notice's line."""
    line = next(line for line in facts.lines if line.id == notice.line_id)
    return ChoiceRow(notice, line, notice.part(today))


def current_stage(head: Head) -> Stage:
    """Where the order is now."""
    return Stage.DELIVERED if head.state is OrderState.CLOSED else head.stage or Stage.ORDER


def lifeline(facts: OrderFacts, short: Callable[[dt.date], str]) -> list[dict[str, Any]]:
    """The eight stages as macro ``lifeline`` takes them; no reasons, only days and shares."""
    head, known = facts.head, facts.head.stages or {}
    confirmed = say(Message("confirmed")) if head.confirmed_at else ""
    found: list[dict[str, Any]] = [
        {"status": "done" if head.inquiry_at else "idle", "when": _day(head.inquiry_at, short)},
        {
            "status": "done" if head.quote_no else "idle",
            "when": _day(head.quote_accepted_at, short),
            "note": head.quote_no or "",
        },
        {
            "status": "done" if head.confirmed_at else "ok",
            "when": short(head.ordered_on),
            "note": confirmed,
        },
    ]
    later = (Stage.MATERIAL, Stage.PRODUCTION, Stage.SHIPPING, Stage.DELIVERED)
    found += [_share(head, known.get(where.value), where) for where in later]
    if facts.shipments:
        found[5]["when"] = short(facts.shipments[0].shipped_on)
    delivered = [s.delivered_on for s in facts.shipments if s.delivered_on]
    if found[6]["status"] == "done" and delivered:
        found[6]["when"] = short(max(delivered))
    elif (expected := dates(facts).expected) and head.state is not OrderState.CANCELLED:
        found[6]["when"] = short(expected)
    found.append({"status": "idle"})
    if facts.cases:
        unsolved = sum(case.state in {CaseState.OPEN, CaseState.WAITING} for case in facts.cases)
        note = say(Message("open cases: %(open)s of %(n)s", n=len(facts.cases), open=unsolved))
        found[7] = {"status": "ok" if unsolved else "done", "note": note, "href": "#cases"}
    return found


def _day(at: dt.datetime | None, short: Callable[[dt.date], str]) -> str:
    return short(at.astimezone(HOME_ZONE).date()) if at else ""


def _share(head: Head, cell: dict[str, Any] | None, where: Stage) -> dict[str, Any]:
    if head.state is OrderState.CLOSED:
        return {"status": "done"}
    if cell is None or head.state is OrderState.CANCELLED:
        return {"status": "idle"}
    status = cell["status"]
    if status == "done":
        return {"status": "done"}
    if status == "risk" or (status == "idle" and cell["pct"]):
        status = "ok"  # our buffers are our own
    found: dict[str, Any] = {"status": status}
    if cell["pct"] or where is head.stage:
        found["p"] = cell["pct"]
    return found


def dots_for(lines: list[LineRow]) -> int:
    """How many pieces one dot stands for, so that no station needs more than 60."""
    most = max((line.ordered_qty for line in lines), default=Decimal(0))
    steps = (step * 10**power for power in range(8) for step in (1, 2, 5))
    per: int = next(step for step in steps if most / step <= MOST_DOTS)
    return per


def floor_row(line: LineRow, short: Callable[[dt.date], str]) -> dict[str, Any]:
    """One line as macro ``floor`` takes it."""
    status, word = line_chip(line, short)
    cells: list[Any] = []
    for code in STATIONS:
        cell = (line.stations or {}).get(code)
        if cell is None or cell["state"] == "ahead":
            cells.append("")
        elif cell["state"] == "here":
            qty = Decimal(cell["qty"])
            cells.append((float(qty), manner().qty(qty, line.unit)))
        else:
            cells.append(cell["state"])
    return {
        "status": status,
        "title": line.name_in(current_locale()),
        "under": manner().qty(line.ordered_qty, line.unit),
        "code": line.customer_part_no or line.item_no,
        "kind": DRAWINGS.get(line.family, "gear"),
        "word": word,
        "cells": cells,
    }


def line_chip(line: LineRow, short: Callable[[dt.date], str]) -> tuple[str, str]:
    """What the customer is told of a line."""
    if line.delivered:
        return "done", say(Message("Delivered"))
    if line.shipped_qty >= line.due_qty:
        return "done", say(Message("On the way"))
    day = line.projected_on or line.promised_on
    if line.status is Status.LATE and day:
        return "late", say(Message("Comes later: %(day)s", day=short(day)))
    if day:
        return "ok", say(Message("On track: %(day)s", day=short(day)))
    return "ok", say(Message("On track"))


@dataclass
class Day:
    """The news of one day: (time, icon, sentence)."""

    day: dt.date
    news: list[tuple[dt.datetime, str, Message]] = field(default_factory=list)


def days_of(news: list[News]) -> list[Day]:
    """News grouped by day in the home zone, newest first."""
    days: list[Day] = []
    for entry in news:
        day = entry.at.astimezone(HOME_ZONE).date()
        if not days or days[-1].day != day:
            days.append(Day(day))
        icon = next((icon for start, icon in _ICONS if entry.name.startswith(start)), "package")
        days[-1].news.append((entry.at, icon, entry.sentence))
    return days
