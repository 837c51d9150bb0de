"""Why this date: the chosen line's supply tree on an axis of weeks. Pure over its projection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from b2bcrm.desk.links import impact_url
from b2bcrm.desk.order_facts import Head, LineRow
from b2bcrm.fulfillment.planning.progress import word_of
from b2bcrm.fulfillment.planning.sureness_paths import TOO_FEW, Sure
from b2bcrm.kernel.words import Message, show_decimal
from b2bcrm.orders.lifecycle import Status

MAX_WEEKS = 8
YEAR_DAYS = 366
WORK_ORDER_WORDS = {
    "planned": Message("planned"),
    "released": Message("released"),
    "running": Message("running"),
    "done": Message("done"),
    "closed": Message("closed"),
}
Short = Callable[[dt.date], str]
Say = Callable[[Message | str], str]


@dataclass(frozen=True)
class Why:
    """One sentence and the next step for the chosen line."""

    line: LineRow
    status: str
    sentence: Message


def answer(line: LineRow, head: Head, today: dt.date) -> Why:
    """Why the line arrives when it does; the cause where it is late or at risk."""
    status, word = line.verdict(head, today)
    facts = {"line": line.line_no}
    if line.came_on is not None or head.ended:
        sentence = _arrived(line)
    elif line.projected_on is None:
        sentence = Message("Line %(line)s has no projected date yet.", **facts)
        if line.cause is not None:
            sentence = Message("Line %(line)s: %(cause)s", cause=line.cause, **facts)
    elif line.cause is not None and line.promised_on is None:
        sentence = Message(
            "Line %(line)s arrives on %(day)s. %(cause)s",
            day=line.projected_on,
            cause=line.cause,
            **facts,
        )
    elif line.cause is not None and line.projected_on != line.promised_on:
        sentence = Message(
            "Line %(line)s arrives on %(day)s; promised is %(promised)s. %(cause)s",
            day=line.projected_on,
            promised=line.promised_on,
            cause=line.cause,
            **facts,
        )
    elif line.cause is not None:
        sentence = Message(
            "Line %(line)s arrives on %(day)s, as promised. %(cause)s",
            day=line.projected_on,
            cause=line.cause,
            **facts,
        )
    else:
        sentence = Message(
            "Line %(line)s arrives on %(day)s: %(status)s.",
            day=line.projected_on,
            status=word,
            **facts,
        )
    return Why(line, status.value, sentence)


def _arrived(line: LineRow) -> Message:
    """When it came, against what was promised."""
    facts = {"line": line.line_no, "day": line.came_on, "promised": line.promised_on}
    if line.came_on is None:
        return Message("Line %(line)s is delivered.", line=line.line_no)
    if line.promised_on is not None and line.came_on > line.promised_on:
        return Message("Line %(line)s came on %(day)s; promised was %(promised)s.", **facts)
    return Message("Line %(line)s came on %(day)s, by its last promise.", **facts)


def how_sure(line: LineRow) -> tuple[Message, ...]:
    """How sure the promise is, as past promises show; nothing once it has left."""
    if line.promised_on is None or line.cancelled or line.shipped_qty >= line.due_qty:
        return ()
    if line.sure is None:
        return (TOO_FEW,)
    days = tuple(_day(day) for day in line.sure["days"])
    found = Sure(days, line.sure["orders"], line.sure.get("chance"))
    short = found.short()
    return (found.sentence(),) if short is None else (short, found.sentence())


@dataclass(frozen=True)
class PegRow:
    """A row of macro ``peg``; percents of the axis."""

    depth: int
    critical: bool
    status: str
    late: bool
    title: str
    under: str
    qty: str
    slack: str
    spans: tuple[tuple[float, float, bool], ...]
    due: float | None
    through: int | None
    href: str = ""


@dataclass(frozen=True)
class Tree:
    """The supply tree of the chosen line on its own axis of weeks."""

    rows: tuple[PegRow, ...]
    labels: tuple[str, ...]
    today: float | None
    promised: float | None


@dataclass(frozen=True)
class _Axis:
    start: dt.date
    days: int

    def at(self, day: dt.date) -> float:
        """Percent of the axis, kept on it."""
        return round(max(0.0, min(100.0, 100 * (day - self.start).days / self.days)), 2)


def tree(line: LineRow, today: dt.date, short: Short, say: Say) -> Tree | None:
    """The chosen line's chain; None when there is nothing to show."""
    links = line.chain
    if not links:
        return None
    days = [today, line.projected_on, line.promised_on]
    for link in links:
        days += [_day(link["end"]), _day(link["was"])]
        if not link["finished"]:
            days.append(_day(link["start"]))
    known = [day for day in days if day is not None and abs((day - today).days) < YEAR_DAYS]
    begin = min([*known, today])
    begin -= dt.timedelta(days=begin.weekday())
    weeks = (max(known) - begin).days // 7 + 1
    step = -(-weeks // MAX_WEEKS)
    columns = -(-weeks // step)
    axis = _Axis(begin, columns * step * 7)
    labels = [short(begin + dt.timedelta(weeks=n * step)) for n in range(columns)]
    promised = line.promised_on
    through = _trunks([0, *(link["depth"] for link in links)])
    rows = [_top(line, axis, say), *(_peg(link, axis, today, short, say) for link in links)]
    drawn = [replace(peg, through=mark) for peg, mark in zip(rows, through, strict=True)]
    return Tree(
        tuple(drawn), tuple(labels), axis.at(today), axis.at(promised) if promised else None
    )


def _trunks(depths: list[int]) -> list[int | None]:
    """Where a branch must be drawn through a row: the next row of a smaller depth goes on below."""
    found: list[int | None] = []
    for i, depth in enumerate(depths):
        rest = depths[i + 1 :]
        after = next((d for d in rest if d <= depth), None)
        found.append(after or None)
    return found


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _top(line: LineRow, axis: _Axis, say: Say) -> PegRow:
    spans: tuple[tuple[float, float, bool], ...] = ()
    if line.projected_on is not None:
        end = axis.at(line.projected_on + dt.timedelta(days=1))
        spans = ((axis.at(line.projected_on), end, False),)
    return PegRow(
        depth=0,
        critical=True,
        status=line.status or "",
        late=line.status is Status.LATE,
        title=f"{line.line_no} · {line.item_no}",
        under=say(Message("at the customer")),
        qty=show_decimal(line.ordered_qty),
        slack=say(_slack(line.buffer_days)),
        spans=spans,
        due=None,
        through=None,
    )


def _slack(days: int | None) -> Message | str:
    if days is None:
        return ""
    return Message("%(days)s wd", days=f"−{-days}" if days < 0 else days)


def _peg(link: dict[str, Any], axis: _Axis, today: dt.date, short: Short, say: Say) -> PegRow:
    end, was, start = _day(link["end"]), _day(link["was"]), _day(link["start"])
    delayed = bool(link["delay"]) and not link["finished"]
    spans: tuple[tuple[float, float, bool], ...] = ()
    if end is not None and not link["finished"]:
        if link["kind"] == "work_order":
            begin = start or today
        else:
            begin = was if was and delayed else today
        spans = ((axis.at(begin), axis.at(end), delayed and link["kind"] != "work_order"),)
    slack = _slack(-link["delay"]) if delayed else _slack(link["slack"])
    return PegRow(
        depth=link["depth"],
        critical=link["critical"],
        status="late" if delayed or link["overdue"] else "ok",
        late=delayed,
        title=say(Message("Stock %(item)s", item=link["item"]))
        if link["kind"] == "stock"
        else f"{link['no']} {link['item']}",
        under=say(_with_firm(link, _under(link, end, was, short))),
        qty=show_decimal(Decimal(link["qty"])),
        slack=say(Message("covered") if link["finished"] else slack),
        spans=spans,
        due=axis.at(was) if was and delayed and not link["finished"] else None,
        through=None,
        href=_rests_on(link),
    )


def _rests_on(link: dict[str, Any]) -> str:
    """Where it is told what else rests on the document, or on the item without one."""
    if link["kind"] == "stock":
        return impact_url("item", link["item"])
    return impact_url(link["kind"], link["no"])


def _with_firm(link: dict[str, Any], under: Message | str) -> Message | str:
    if not link.get("firm"):
        return under
    return Message("firm · %(what)s", what=under) if under else Message("firm")


def _under(
    link: dict[str, Any], end: dt.date | None, was: dt.date | None, short: Short
) -> Message | str:
    if link["kind"] == "stock":
        short_qty = show_decimal(Decimal(link["short"]))
        return Message("in stock") if link["finished"] else Message("%(qty)s short", qty=short_qty)
    if link["kind"] == "work_order":
        return _under_work(link)
    supplier = link["detail"]
    if not supplier and end is not None:
        return Message("due %(day)s", day=short(end))
    if link["finished"] or end is None:
        return Message("%(supplier)s · received", supplier=supplier)
    if was and was != end:
        return Message(
            "%(supplier)s · was %(was)s, now %(day)s",
            supplier=supplier,
            was=short(was),
            day=short(end),
        )
    return Message("%(supplier)s · due %(day)s", supplier=supplier, day=short(end))


def _under_work(link: dict[str, Any]) -> Message | str:
    word = WORK_ORDER_WORDS.get(link["detail"]) or str(link["detail"])
    if link["center"] and not link["finished"]:
        return Message("%(state)s, %(center)s", state=word, center=word_of(link["center"]))
    return word
