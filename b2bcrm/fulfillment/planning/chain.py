"""When an order line will be there: its supply tree, computed forward from today.

A document that is not finished is never ready before today. A work order keeps its planned dates
until something under it comes later than its start, or its own operations fall behind; then it
moves by that many working days. What arrives is used from the next working day on, and what is
finished leaves on the next working day. The longest way is the critical chain. What the ERP has
not planned yet rests on the live plan; where there is none, on the ERP's date and the item's lead
time. Pure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from b2bcrm.customers.receiving import at_customer
from b2bcrm.fulfillment.planning.facts import (
    ZERO,
    Buy,
    FirmPieces,
    Line,
    Make,
    Part,
    Supplies,
)
from b2bcrm.fulfillment.planning.lag import lag
from b2bcrm.kernel.calendar import WorkCalendar

DEEPEST = 8  # a reference that leads back to itself must not loop for ever
FAR_DAYS = 65  # working days: stock is not yet set aside for what leaves later than in a quarter

UNPEGGED = frozenset({"plan", "reservation", "none"})  # no document of the ERP, no stock


@dataclass
class Node:
    """One row of the tree. ``end_on`` is the day it is there; None for stock that lies ready.

    ``was_on`` is what was first said, ``need_on`` what was wished. ``delay``: working days from
    what was said to ``end_on``; ``own``: those lost here (a purchase: against the wish).
    ``slack``: working days it may slip without moving the line's date. ``missing`` pieces of a work
    order that is closed are booked nowhere; ``shown_open_on`` as ``Make`` has it.
    """

    kind: str  # work_order, purchase_order, stock
    no: str
    item: str
    qty: Decimal
    start_on: dt.date | None = None
    end_on: dt.date | None = None
    was_on: dt.date | None = None
    need_on: dt.date | None = None
    finished: bool = False
    overdue: bool = False
    short: Decimal = ZERO
    delay: int = 0
    own: int = 0
    slack: int | None = None
    critical: bool = False
    detail: str = ""
    center: str = ""
    line_no: int = 0
    firm: bool = False
    scrapped: Decimal = ZERO
    missing: Decimal = ZERO
    shown_open_on: dt.date | None = None
    children: list[Node] = field(default_factory=list)


@dataclass
class Outlook:
    """What is expected of a line. ``buffer`` in working days: negative when late, else from the
    day it is ready to the last day it can leave and still be in time.

    Without a buffer nothing can slip any more: all of it is there, and the ERP ships in time.

    ``ready_on``: could leave; ``ship_on``: will leave by the ERP's plan or later; ``source`` says
    what it rests on: supply, stock, reservation, plan, shipped, service or none. ``rest``: some
    pieces no document brings. ``waits_for``: number of the line that it leaves with, which leaves
    last of all, on ``with_on``.
    """

    source: str
    tops: list[Node]
    ready_on: dt.date | None
    ship_on: dt.date | None = None
    projected_on: dt.date | None = None
    buffer: int | None = None
    rest: bool = False
    waits_for: int | None = None
    with_on: dt.date | None = None

    @property
    def complete(self) -> bool:
        """Whether everything the line needs is there or has left."""
        if self.source == "supply":
            return not self.rest and all(node.finished for node in self.tops)
        return self.source in {"stock", "service", "shipped"}

    def driver(self) -> list[Node]:
        """The critical chain from the top down."""
        found: list[Node] = []
        level: Sequence[Node] = self.tops
        while True:
            node = next((n for n in level if n.critical), None)
            if node is None:
                return found
            found.append(node)
            level = node.children


def outlook(line: Line, supplies: Supplies, today: dt.date) -> Outlook:
    """Tree, readiness and projected date of ``line``."""
    tops = _Forward(supplies, today, line.calendar).below(line.ref) if line.ref else []
    firm = [_firm(line, pieces, today) for pieces in line.firm]
    view = Outlook(*_readiness(line, tops, firm, today), ready_on=None)
    view.ready_on = _by_plan(line, view, _ready_on(line, view, today))
    if view.source in UNPEGGED:
        view.ready_on = _with_firm(line, view, view.ready_on)
    elif view.source == "supply":
        view.ready_on = _with_rest(line, view, view.ready_on)
    settle(line, view, today)
    return view


def _readiness(
    line: Line, tops: list[Node], firm: list[Node], today: dt.date
) -> tuple[str, list[Node]]:
    """What the date rests on: documents, firm pieces, stock, then what is still to be planned."""
    if line.left <= 0 or not line.stock_item:
        return ("shipped" if line.left <= 0 else "service"), tops
    if tops:
        return "supply", [*tops, *firm]
    rest = line.left - sum((node.qty for node in firm), ZERO)
    if firm and rest <= 0:
        return ("stock" if all(node.finished for node in firm) else "supply"), firm
    far = line.planned_on is not None and (
        line.planned_on > line.calendar.add_days(today, FAR_DAYS)
    )
    if line.ref and line.on_hand >= rest and not far:
        stock = Node("stock", "", line.item, rest, finished=True)
        return ("stock" if all(node.finished for node in firm) else "supply"), [stock, *firm]
    if line.ref and line.planned_on is not None:
        return "plan", firm
    return ("reservation" if line.reserved_on else "none"), firm


def _ready_on(line: Line, view: Outlook, today: dt.date) -> dt.date | None:
    cal, soonest = line.calendar, line.calendar.next_working(today)
    if view.source == "none":
        return None
    if view.source == "shipped":
        return line.shipped_on or today
    if view.source == "reservation":
        return max(soonest, line.reserved_on or soonest)
    if view.source == "plan":
        planned = line.planned_on or soonest
        by_lead = cal.add_days(today, line.lead_days) if line.lead_days else planned
        return max(soonest, min(planned, by_lead))
    open_ends = [n.end_on for n in view.tops if n.end_on is not None and not n.finished]
    if not open_ends:
        return soonest
    finish = max(open_ends)
    _mark(view.tops, finish, cal)
    return max(soonest, cal.add_days(finish, 1))


def _by_plan(line: Line, view: Outlook, ready_on: dt.date | None) -> dt.date | None:
    """The day by the live plan, where it knows better than lead times do.

    What is in time is planned as late as that allows: then it may well be ready before.
    """
    if line.plan is None or view.source not in UNPEGGED:
        return ready_on
    if line.plan.on is None:
        return None if line.never else ready_on
    leaves_on = line.calendar.add_days(line.plan.on, 1)
    if ready_on is None or line.plan.late:
        return leaves_on
    return min(ready_on, leaves_on)


def _with_rest(line: Line, view: Outlook, ready_on: dt.date | None) -> dt.date | None:
    """The day on which the pieces are there as well that the documents do not bring.

    The live plan tells of them; it knows nothing of a line that its documents cover. What it has
    in time it has as late as that allows, so that day says nothing.
    """
    if ready_on is None or line.plan is None:
        return ready_on
    if line.plan.on is None:
        view.rest = line.never
        return None if line.never else ready_on
    view.rest = True
    leaves_on = line.calendar.add_days(line.plan.on, 1)
    return max(ready_on, leaves_on) if line.plan.late else ready_on


def _with_firm(line: Line, view: Outlook, ready_on: dt.date | None) -> dt.date | None:
    """The day on which the firm pieces are there as well as the others."""
    ends = [node.end_on for node in view.tops if node.end_on is not None]
    if ready_on is None or not ends:
        return ready_on
    return max(ready_on, line.calendar.add_days(max(ends), 1))


def waits_for_rest(line: Line, view: Outlook) -> bool:
    """Whether pieces that no document brings are the last to come, and too late."""
    if not view.rest or line.plan is None or line.plan.on is None or not line.plan.late:
        return False
    return view.ready_on == line.calendar.add_days(line.plan.on, 1)


def scrapped(line: Line, view: Outlook) -> Node | None:
    """The line's own work order of which most was scrapped; None where nothing was."""
    own = [node for node in view.tops if node.item == line.item and node.scrapped > 0]
    return max(own, key=lambda node: node.scrapped, default=None)


def closed_short(line: Line, view: Outlook) -> Node | None:
    """The line's own work order that is closed with most pieces missing; None where none is."""
    own = [node for node in view.tops if node.item == line.item and node.missing > 0]
    return max(own, key=lambda node: node.missing, default=None)


def settle(line: Line, view: Outlook, today: dt.date) -> None:
    """Shipping day, arrival and buffer from ``view.ready_on`` (also after it was moved)."""
    ready = view.ready_on
    if ready is None:
        return
    shipped = view.source == "shipped"
    ship = ready if shipped or line.planned_on is None else max(ready, line.planned_on)
    ship = max(ship, view.with_on or ship)
    view.ship_on = ship
    view.projected_on = line.came_on or line.arrives(ship)
    if shipped and line.came_on is None and at_customer(line.incoterm):
        view.projected_on = max(view.projected_on, today)
    if line.promised_on is None:
        return
    if view.projected_on > line.promised_on:
        there_on = view.projected_on if shipped else max(view.projected_on, today)
        view.buffer = -line.calendar.days_between(line.promised_on, there_on)
        view.buffer = min(-1, view.buffer)
    elif line.promised_on < today and not shipped:
        view.buffer = -line.calendar.days_between(line.promised_on, today)
    elif not view.complete and view.source != "reservation":
        view.buffer = line.calendar.days_between(ready, line.leave_by(line.promised_on))


# -------------------------------------------------------------------------------------- the tree
@dataclass(frozen=True)
class _Forward:
    """Builds the tree with dates, from the leaves up."""

    supplies: Supplies
    today: dt.date
    cal: WorkCalendar

    def below(self, ref: str, parts: Sequence[Part] = (), depth: int = 0) -> list[Node]:
        """Everything that was made, bought or taken for ``ref``."""
        if depth >= DEEPEST:
            return []
        makes = [
            self._make(make, depth)
            for make in self.supplies.makes.get(ref, ())
            if make.status != "cancelled"
        ]
        buys = [
            _buy(buy, self.today, self.cal)
            for buy in self.supplies.buys.get(ref, ())
            if buy.status != "cancelled"
        ]
        return [*makes, *buys, *(_part(part, self.today, self.cal) for part in parts)]

    def _make(self, make: Make, depth: int) -> Node:
        cal, today = self.cal, self.today
        node = Node("work_order", make.no, make.item, make.qty, was_on=make.first_end_on)
        node.scrapped = make.scrapped
        node.children = self.below(make.no, () if make.started else make.parts, depth + 1)
        node.start_on, node.detail = make.started_on or make.start_on, make.status
        if make.finished:
            node.finished, node.end_on = True, make.ended_on or make.end_on
            node.missing = max(ZERO, make.qty - make.completed - make.scrapped)
            node.shown_open_on = make.shown_open_on
            return node
        waits = max((n.end_on for n in node.children if n.end_on and not n.finished), default=None)
        below = 0
        if make.started:
            slip, node.center = lag(make, today, cal)
            if waits is not None and waits > make.end_on:
                below = cal.days_between(make.end_on, waits)
        else:
            node.center = make.steps[0].center if make.steps else ""
            slip = max(0, cal.days_between(make.start_on, cal.next_working(today)))
            if waits is not None and waits > make.start_on:
                below = cal.days_between(make.start_on, cal.add_days(waits, 1))
        moved = max(slip, below, 0)
        node.end_on = cal.add_days(make.end_on, moved) if moved else max(make.end_on, today)
        if not make.started and moved:
            node.start_on = cal.add_days(make.start_on, moved)
        node.delay = max(0, cal.days_between(make.first_end_on, node.end_on))
        inherited = max((n.delay for n in node.children if not n.finished), default=0)
        node.own = max(0, node.delay - inherited) if slip >= below else 0
        return node


def _buy(buy: Buy, today: dt.date, cal: WorkCalendar) -> Node:
    node = Node("purchase_order", buy.no, buy.item, buy.qty, was_on=buy.first_on)
    node.line_no, node.detail, node.need_on = buy.line_no, buy.supplier, buy.requested_on
    if buy.finished:
        node.finished, node.end_on = True, buy.received_on or min(buy.due_on, today)
        node.shown_open_on = buy.shown_open_on
        return node
    node.overdue = buy.due_on < today
    node.end_on = max(buy.due_on, cal.next_working(today))
    node.delay = max(0, cal.days_between(buy.first_on, node.end_on))
    node.own = max(0, cal.days_between(buy.requested_on, node.end_on))
    return node


def _firm(line: Line, pieces: FirmPieces, today: dt.date) -> Node:
    node = Node(pieces.kind, pieces.no, line.item, pieces.qty, was_on=pieces.on, firm=True)
    if pieces.on is None:
        node.finished = True
        return node
    node.overdue = pieces.on < today
    node.end_on = max(pieces.on, line.calendar.next_working(today))
    node.delay = node.own = max(0, line.calendar.days_between(pieces.on, node.end_on))
    return node


def _part(part: Part, today: dt.date, cal: WorkCalendar) -> Node:
    node = Node("stock", "", part.item, part.need)
    if part.short <= 0:
        node.finished = True
        return node
    node.short, left = part.short, part.short
    for no, day, qty in part.coming:
        left -= qty
        if left <= 0:
            node.no, node.end_on = no, max(day, cal.next_working(today))
            break
    else:
        node.end_on = cal.add_days(today, max(1, part.lead_days))
    node.delay = node.own = max(0, cal.days_between(today, node.end_on))
    return node


def _mark(level: Sequence[Node], needed_on: dt.date, cal: WorkCalendar) -> None:
    """Mark the critical chain from the tops down, and give the others their slack.

    ``needed_on`` is the last day on which a node of this level may be there.
    """
    found = False
    for node in level:
        if node.finished or node.end_on is None:
            continue
        node.slack = max(0, cal.days_between(node.end_on, needed_on))
        if not found and node.end_on >= needed_on:
            node.critical = found = True
    for node in level:
        if node.start_on is None or node.finished or node.end_on is None:
            continue
        _mark_below(node, cal)


def _mark_below(node: Node, cal: WorkCalendar) -> None:
    assert node.start_on is not None  # noqa: S101 - the caller asked
    assert node.end_on is not None  # noqa: S101 - the caller asked
    last = cal.add_days(node.start_on, -1)
    running = node.detail in {"running", "done", "closed"}
    if running:
        last = node.end_on
    drives = False
    for child in node.children:
        if child.finished or child.end_on is None:
            continue
        child.slack = max(0, cal.days_between(child.end_on, last)) + (node.slack or 0)
        if node.critical and not drives and child.end_on >= last:
            child.critical = drives = True
    for child in node.children:
        if child.kind == "work_order" and not child.finished:
            _mark_below(child, cal)
