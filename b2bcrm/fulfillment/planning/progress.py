"""How far a line is: parts on hand, earned hours, and at which station each piece stands. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from b2bcrm.fulfillment.planning.chain import DEEPEST
from b2bcrm.fulfillment.planning.facts import ZERO, Line, Make, Step, Supplies
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.words import Message

STATIONS = ("prep", "turning", "heat", "grinding", "assembly", "test", "packing", "ready")
STATION_WORDS = {
    "prep": Message("Material preparation"),
    "turning": Message("Turning"),
    "heat": Message("Heat treatment"),
    "grinding": Message("Grinding"),
    "assembly": Message("Assembly"),
    "test": Message("Inspection"),
    "packing": Message("Packing"),
    "ready": Message("Ready to ship"),
}
# Names of work centres and operations come from the ERP at run time, where no extraction finds
# them. Those of the ERP that is shipped for trying out are declared here, so that the catalogues
# hold them; what another plant calls its own is shown as its ERP writes it.
KNOWN_NAMES = (
    Message("Sawing and preparation"),
    Message("CNC turning"),
    Message("Gear hobbing and milling"),
    Message("Vacuum heat treatment"),
    Message("Cylindrical grinding"),
    Message("Thread grinding"),
    Message("Gear and profile grinding"),
    Message("Gearbox assembly"),
    Message("Strain-wave and table assembly"),
    Message("Linear guide line"),
    Message("Test bench and final inspection"),
    Message("Packing"),
    Message("Suzhou machining"),
    Message("Suzhou gear grinding"),
    Message("Suzhou assembly and test"),
    Message("Suzhou packing"),
    Message("Assembly"),
    Message("Assembly and preload"),
    Message("Bore grinding"),
    Message("Boring and milling"),
    Message("Case hardening"),
    Message("Face grinding"),
    Message("Gear cutting"),
    Message("Gear grinding"),
    Message("Geometry test"),
    Message("Heat treatment"),
    Message("Hobbing"),
    Message("Induction hardening"),
    Message("Lead measurement"),
    Message("Line assembly"),
    Message("Milling"),
    Message("Nut grinding"),
    Message("Profile grinding"),
    Message("Run-in"),
    Message("Run-in and final test"),
    Message("Running parallelism test"),
    Message("Sawing"),
    Message("Straightening and sawing"),
    Message("Stress relief"),
    Message("Turning"),
)
_BY_NAME = {message.id: message for message in KNOWN_NAMES}
ONE, HUNDRED = Decimal(1), Decimal(100)


@dataclass(frozen=True)
class Progress:
    """Shares as whole percents; ``material`` exact, 0..1. ``plan`` is None without hours.

    ``produced`` are finished pieces; ``stations`` per code {"state": past, here, ahead or none,
    "qty": pieces there}.
    """

    material: Decimal
    produced: Decimal
    production_pct: int
    plan_pct: int | None
    stations: dict[str, Any]
    now_at: Message | None


def measure(line: Line, supplies: Supplies, today: dt.date, *, in_stock: bool) -> Progress:
    """Progress of a line; ``in_stock`` says that it is supplied from pieces on hand."""
    makes = list(_makes(line.ref, supplies, 0)) if line.ref else []
    tops = [make for make in supplies.makes.get(line.ref, ()) if make.status != "cancelled"]
    shares = _material(line, supplies, makes, in_stock=in_stock)
    material = sum(shares, ZERO) / len(shares)
    produced = _produced(line, supplies, tops, in_stock=in_stock)
    hours = sum((step.hours for make in makes for step in make.steps), ZERO)
    if produced >= line.ordered:
        done_pct, plan_pct = 100, None
    elif hours > 0:
        earned = sum((_earned(make) for make in makes), ZERO)
        done_pct = pct(earned / hours)
        planned = sum((_planned(make, today, line.calendar) for make in makes), ZERO)
        plan_pct = pct(planned / hours)
    else:
        done_pct, plan_pct = pct(produced / line.ordered), None
    stations = _stations(line, makes, min(shares), produced)
    waits_for = _waits_for(line, supplies, tops, material)
    return Progress(
        material, produced, done_pct, plan_pct, stations, _now_at(line, stations, waits_for)
    )


def word_of(name: str) -> Message | str:
    """A work centre's or operation's name, to be translated where we know it."""
    return _BY_NAME.get(name, name)


def plain(qty: Decimal) -> str:
    """A quantity as stored text without trailing zeros or separators: ``3``, never ``3.0000``."""
    text = f"{qty:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def pct(share: Decimal) -> int:
    """Whole percents, 100 only for all of it."""
    return int((min(ONE, max(ZERO, share)) * HUNDRED).to_integral_value(ROUND_FLOOR))


def _makes(ref: str, supplies: Supplies, depth: int) -> Iterator[Make]:
    if depth >= DEEPEST:
        return
    for make in supplies.makes.get(ref, ()):
        if make.status != "cancelled":
            yield make
            yield from _makes(make.no, supplies, depth + 1)


def _material(
    line: Line, supplies: Supplies, makes: Sequence[Make], *, in_stock: bool
) -> list[Decimal]:
    """The share that is here of each needed part."""
    if in_stock or line.left <= 0:
        return [ONE]
    shares: list[Decimal] = []
    for ref in (line.ref, *(make.no for make in makes)):
        shares.extend(
            min(ONE, buy.received / buy.qty) if buy.qty else ONE
            for buy in supplies.buys.get(ref, ())
            if buy.status != "cancelled"
        )
    for make in makes:
        for part in make.parts:
            here = make.started or part.need <= 0
            shares.append(ONE if here else (part.need - part.short) / part.need)
    return shares or [ONE if makes else ZERO]


def _produced(line: Line, supplies: Supplies, tops: Sequence[Make], *, in_stock: bool) -> Decimal:
    """Finished pieces of the line: made, bought in, or taken from stock."""
    buys = [buy for buy in supplies.buys.get(line.ref, ()) if buy.status != "cancelled"]
    if in_stock:
        return line.ordered
    if not tops and not buys:
        return line.shipped
    made = sum((min(make.completed, make.qty) for make in tops), ZERO)
    bought = sum((min(buy.received, buy.qty) for buy in buys), ZERO)
    pegged = sum((make.qty for make in tops), ZERO) + sum((buy.qty for buy in buys), ZERO)
    from_stock = max(ZERO, line.ordered - pegged)
    return min(line.ordered, max(line.shipped, made + bought + from_stock))


def _earned(make: Make) -> Decimal:
    if make.finished:
        return sum((step.hours for step in make.steps), ZERO)
    return sum((step.hours * _share(step, make) for step in make.steps), ZERO)


def _share(step: Step, make: Make) -> Decimal:
    if step.done or make.qty <= 0:
        return ONE
    return min(ONE, step.qty_done / make.qty)


def _planned(make: Make, today: dt.date, cal: WorkCalendar) -> Decimal:
    """Hours that should be done by this morning."""
    total = ZERO
    for step in make.steps:
        if step.end_on < today:
            total += step.hours
        elif step.start_on < today:
            length = cal.days_between(step.start_on, step.end_on) + 1
            gone = cal.days_between(step.start_on, today)
            total += step.hours * min(ONE, Decimal(gone) / length)
    return total


def _stations(
    line: Line, makes: Sequence[Make], sets: Decimal, produced: Decimal
) -> dict[str, Any]:
    """Where the ordered pieces stand. A piece past one station is past all before it.

    ``sets`` is the share of pieces whose every part is here: the others wait for material.
    """
    used: dict[str, Decimal] = {}
    for make in makes:
        for step in make.steps:
            through = ONE if make.finished else _share(step, make)
            if step.station in STATIONS:
                used[step.station] = min(used.get(step.station, ONE), through)
    passed = {code: _whole_pieces(line, share) for code, share in used.items()}
    passed["prep"] = min(passed.get("prep", line.ordered), _whole_pieces(line, sets), line.ordered)
    passed["ready"] = line.shipped
    last = max((code for code in passed if code != "ready"), key=STATIONS.index)
    passed[last] = max(passed[last], produced) if used or produced else passed[last]
    behind = line.shipped
    for code in reversed(STATIONS):
        if code in passed:
            passed[code] = behind = max(passed[code], behind)
    cells: dict[str, Any] = {}
    before = line.ordered
    for code in STATIONS:
        if code not in passed:
            cells[code] = {"state": "none", "qty": "0"}
            continue
        here = before - passed[code]
        gone = "past" if passed[code] >= line.ordered else "ahead"
        state = "here" if here > 0 else gone
        cells[code] = {"state": state, "qty": plain(here)}
        before = passed[code]
    return cells


def _whole_pieces(line: Line, share: Decimal) -> Decimal:
    if share >= 1:
        return line.ordered
    return (line.ordered * share).to_integral_value(ROUND_FLOOR)


def _waits_for(line: Line, supplies: Supplies, tops: Sequence[Make], material: Decimal) -> Message:
    """What is said of pieces that no work has begun on."""
    if line.stock_item and not tops and not supplies.buys.get(line.ref):
        return Message("Not started yet")
    if material < 1 or not tops:
        return Message("Material is being prepared")
    return Message("Waiting for production")


def _now_at(line: Line, stations: dict[str, Any], waits_for: Message) -> Message | None:
    """Where most of it is, in words that a customer may read."""
    if line.delivered >= line.ordered:
        return Message("Delivered")
    if line.shipped >= line.ordered:
        return Message("On the way")
    here = [code for code in STATIONS if stations[code]["state"] == "here"]
    if not here:
        return None
    code = max(here, key=lambda c: (Decimal(stations[c]["qty"]), STATIONS.index(c)))
    if code == "prep":
        return waits_for
    return Message(
        "%(station)s, %(qty)s of %(total)s",
        station=STATION_WORDS[code],
        qty=Decimal(stations[code]["qty"]),
        total=line.ordered,
    )
