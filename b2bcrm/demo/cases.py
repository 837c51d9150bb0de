"""Service cases on delivered lines: a history with its clocks, and some open ones."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from b2bcrm.demo import phrases
from b2bcrm.demo.case_rows import CaseBook, Course
from b2bcrm.demo.orders import LoadedLine, LoadedOrder, OrderBook
from b2bcrm.demo.scene import Customer, Scene, at
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.service import clocks
from b2bcrm.service.lifecycle import CaseKind, CaseState

HISTORY = {"small": 10, "demo": 120, "large": 1200}
LAST_OF_HISTORY = 718
TOLD_NUMBERS = (719, 727, 729, 734, 736, 738, 739, 740, 741)
_HOUR = dt.timedelta(hours=1)
_YOUNGEST = 9  # days: everything younger is told


@dataclass(frozen=True)
class _Open:
    """``ago``: service hours since it was opened; ``answered`` and ``asked`` hours after that."""

    no: int
    customer: str
    family: str
    ago: float
    owner: str = ""
    answered: float | None = None
    asked: float | None = None
    kind: CaseKind | None = None
    urgent: bool = False


_OPEN = (
    _Open(741, "10455", "BS", 24.7, urgent=True, kind=CaseKind.COMPLAINT),
    _Open(738, "20491", "PG", 22.9, owner="Hsu Jia-Hao", kind=CaseKind.COMPLAINT),
    _Open(736, "20469", "LG", 69.3, owner="Chang Pei-Yu", answered=2.0, kind=CaseKind.RETURN),
    _Open(734, "20417", "PG", 23.2, owner="Hsu Jia-Hao", answered=0.6, kind=CaseKind.COMPLAINT),
    _Open(740, "30502", "PG", 17.7, owner="Hsu Jia-Hao", kind=CaseKind.QUESTION),
    _Open(739, "30477", "SW", 17.0, owner="Chang Pei-Yu"),
    _Open(729, "20463", "RT", 60.0, owner="Chang Pei-Yu", answered=3.0, asked=20.0),
    _Open(719, "20417", "SW", 44.0, owner="Hsu Jia-Hao", answered=1.0, kind=CaseKind.QUESTION),
    _Open(727, "10458", "BS", 70.0, owner="Chang Pei-Yu", answered=3.0, asked=20.0),
)


def before(calendar: WorkCalendar, end: dt.datetime, hours: float) -> dt.datetime:
    """The instant from which ``hours`` of service time have passed at ``end``."""
    low = end - dt.timedelta(days=30)
    total = calendar.hours_between(low, end)
    return calendar.add_hours(low, max(0.0, total - hours))


def past_cases(scene: Scene, book: OrderBook, size: str) -> list[Course]:
    """Cases of the past, all ended, oldest first."""
    rng = scene.rng("cases")
    latest = scene.today - dt.timedelta(days=_YOUNGEST)
    delivered = [(o, ln) for o in book.orders for ln in o.lines if _fits(ln, latest)]
    picked = rng.sample(delivered, min(len(delivered), HISTORY[size]))
    found = [c for n, (order, line) in enumerate(picked) if (c := _past(scene, order, line, n))]
    return sorted(found, key=lambda course: course.opened_at)


def _fits(line: LoadedLine, latest: dt.date) -> bool:
    return line.row["delivered_qty"] > 0 and any(
        part.delivered_on is not None and part.delivered_on < latest for part in line.left
    )


def _complaint(
    rng: random.Random, scene: Scene, customer: Customer, line: LoadedLine,
    kind: CaseKind | None = None,
) -> phrases.Complaint:  # fmt: skip
    family = scene.items[line.row["item_id"]].family
    told = phrases.complaints(customer.language)
    fitting = [c for c in told if c.family in {"", family} and kind in {None, c.kind}]
    special = [c for c in fitting if c.family == family]
    rows = special if special and rng.random() < 0.6 else fitting  # noqa: PLR2004
    return rng.choice(rows or [replace_kind(c, kind) for c in told if c.family == ""])


def replace_kind(complaint: phrases.Complaint, kind: CaseKind | None) -> phrases.Complaint:
    """The same story as another kind of case."""
    return complaint if kind is None else complaint._replace(kind=kind)


def _past(scene: Scene, order: LoadedOrder, line: LoadedLine, n: int) -> Course | None:
    rng = scene.rng("case", n)
    customer = scene.customers[order.row["account_id"]]
    calendar = clocks.service_days(customer.calendar)
    arrived = min(part.delivered_on for part in line.left if part.delivered_on)
    day = customer.calendar.next_working(arrived + dt.timedelta(days=rng.randint(2, 75)))
    opened_at = at(day, rng.randint(9 * 60, 17 * 60))
    course = _begin(rng, scene, order, line, opened_at=opened_at)
    told = course.told
    answer_h = rng.uniform(0.3, 21) if rng.random() < 0.93 else rng.uniform(25, 40)  # noqa: PLR2004
    course.answered_at = clocks.instant_after(calendar, opened_at, answer_h * _HOUR)
    counted = answer_h + rng.uniform(1, 3)
    if told.question and rng.random() < 0.75:  # noqa: PLR2004
        course.asked_at = clocks.instant_after(calendar, opened_at, counted * _HOUR)
        wait = rng.uniform(3, 40) * _HOUR
        course.replied_at = clocks.instant_after(calendar, course.asked_at, wait)
    in_time = rng.random() < 0.9  # noqa: PLR2004
    solve_h = rng.uniform(counted + 1, 70) if in_time else rng.uniform(76, 130)
    solved_at = clocks.due_at(calendar, opened_at, solve_h * _HOUR, course.pauses())
    if solved_at is None:
        return None
    course.solved_at = solved_at
    course.closed_at = clocks.instant_after(calendar, solved_at, rng.uniform(4, 118) * _HOUR)
    if course.closed_at > scene.now - dt.timedelta(days=1):
        return None
    course.closed_by_customer = rng.random() < 0.5  # noqa: PLR2004
    course.state = CaseState.CLOSED
    return _measured(course, calendar)


def _begin(
    rng: random.Random,
    scene: Scene,
    order: LoadedOrder,
    line: LoadedLine,
    *,
    opened_at: dt.datetime,
    kind: CaseKind | None = None,
) -> Course:
    customer = scene.customers[order.row["account_id"]]
    told = _complaint(rng, scene, customer, line, kind)
    affected = None
    if told.kind is not CaseKind.QUESTION:
        affected = Decimal(max(1, min(int(line.row["delivered_qty"]), rng.randint(1, 4))))
    return Course(
        customer=customer,
        order=order,
        line=line,
        told=told,
        opened_at=opened_at,
        buyer=rng.choice(customer.people),
        owner=scene.staff[rng.choice(("Hsu Jia-Hao", "Chang Pei-Yu"))],
        affected_qty=affected,
        serial_nos=_serials(rng, opened_at, affected),
    )


def _serials(rng: random.Random, opened_at: dt.datetime, affected: Decimal | None) -> str:
    if affected is None:
        return ""
    built = opened_at - dt.timedelta(days=rng.randint(20, 90))
    first = rng.randint(1, 900)
    return ", ".join(f"{built:%y%m}-{first + 5 * n:04d}" for n in range(int(affected)))


def _measured(course: Course, calendar: WorkCalendar) -> Course:
    """Set both due instants, as the acts of the service desk do."""
    opened, ended = course.opened_at, course.pauses()
    course.answer_due_at = clocks.instant_after(calendar, opened, clocks.ANSWER_WITHIN)
    course.solve_due_at = clocks.due_at(calendar, opened, clocks.SOLVE_WITHIN, ended) or opened
    return course


def open_cases(scene: Scene, book: OrderBook) -> Iterator[tuple[int, Course]]:
    """(number, case) of what is open today."""
    by_customer: dict[int, list[tuple[LoadedOrder, LoadedLine]]] = {}
    latest = scene.today - dt.timedelta(days=_YOUNGEST)
    for order in book.orders:
        for line in order.lines:
            if _fits(line, latest):
                by_customer.setdefault(order.row["account_id"], []).append((order, line))
    for told in sorted(_OPEN, key=lambda case: -case.ago):
        customer = scene.by_erp_id.get(told.customer)
        lines = by_customer.get(customer.account.id, []) if customer else []
        if customer is None or not lines:
            continue
        yield told.no, _open(scene, told, customer, lines)


def _open(
    scene: Scene,
    told: _Open,
    customer: Customer,
    lines: Sequence[tuple[LoadedOrder, LoadedLine]],
) -> Course:
    rng = scene.rng("open case", told.no)
    calendar = clocks.service_days(customer.calendar)
    fitting = [
        (order, line)
        for order, line in lines
        if scene.items[line.row["item_id"]].family == told.family
    ]
    order, line = (fitting or lines)[-1]
    opened_at = before(calendar, scene.now, told.ago)
    course = _begin(rng, scene, order, line, opened_at=opened_at, kind=told.kind)
    course.urgent = told.urgent
    course.owner = scene.staff.get(told.owner)
    course.buyer = customer.people[min(2, len(customer.people) - 1)]
    if told.answered is not None:
        course.answered_at = clocks.instant_after(calendar, opened_at, told.answered * _HOUR)
    if told.asked is not None:
        course.asked_at = clocks.instant_after(calendar, opened_at, told.asked * _HOUR)
        course.state = CaseState.WAITING
        if not course.told.question:
            question = course.told.answer or course.told.text
            course.told = course.told._replace(question=question)
    return _measured(course, calendar)


def late_words(course: Course) -> tuple[str, str]:
    """What each clock was reported for: late where it was missed."""
    answered = course.answered_at is not None and course.answered_at > course.answer_due_at
    solved = course.solved_at is not None and course.solved_at > course.solve_due_at
    return ("late" if answered else "", "late" if solved else "")


def write_cases(scene: Scene, desk: CaseBook, book: OrderBook, size: str) -> None:
    """All of them, numbered in order of time around the told ones."""
    for course in past_cases(scene, book, size):
        desk.enter(course, None, late_words(course))
    for no, course in open_cases(scene, book):
        desk.enter(replace(course), no, ("", ""))
    desk.write()
