"""Lists and figures of the service desk: rows with their clocks, counts, causes, median answer."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.matching import holds
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.service import clocks
from b2bcrm.service.lifecycle import CaseKind, CaseState
from b2bcrm.service.models import Case
from b2bcrm.service.queries.cases import calendars, visible_to
from b2bcrm.users.models import User

SORTS = ("due", "no", "account", "opened")
SHOWS = ("", "mine", "unassigned", "waiting", "overdue", "solved", "closed", "all")
_UNFINISHED = (CaseState.OPEN, CaseState.WAITING)
MEASURED_DAYS = 30
CAUSE_DAYS = 90
_MAX_MEASURED = 2000


@dataclass(frozen=True)
class Clocks:
    """Both clocks of a case; ``next`` is the one that is due next."""

    answer: clocks.Reading
    solve: clocks.Reading

    @property
    def next_name(self) -> str:
        """Answer until we have answered, then solve."""
        return "answer" if self.answer.met_at is None else "solve"

    @property
    def next(self) -> clocks.Reading:
        """The clock that is due next."""
        return self.answer if self.next_name == "answer" else self.solve


@dataclass(frozen=True)
class CaseRow:
    """One row of a list. ``clocks`` are as of business time."""

    id: int
    no: str
    version: int
    kind: CaseKind
    state: CaseState
    subject: str
    urgent: bool
    serial_nos: str
    account_id: int
    account_name: str
    account_language: str
    customer_class: str
    order_no: str | None
    line_no: int | None
    item_no: str | None
    item_name: str | None
    item_name_zh_hant: str | None
    item_name_zh_hans: str | None
    owner_id: int | None
    owner: str | None
    opened_at: dt.datetime
    answered_at: dt.datetime | None
    solved_at: dt.datetime | None
    closed_at: dt.datetime | None
    clocks: Clocks

    def item_name_in(self, locale: str) -> str:
        """The item's name in the reader's language."""
        names = {"zh_Hant": self.item_name_zh_hant, "zh_Hans": self.item_name_zh_hans}
        return names.get(locale) or self.item_name or ""


_COLUMNS: tuple[Any, ...] = (
    Case,
    Account.name.label("account_name"),
    Account.language.label("account_language"),
    Account.customer_class,
    Order.no.label("order_no"),
    Order.site_id,
    OrderLine.line_no,
    Item.no.label("item_no"),
    Item.name.label("item_name"),
    Item.name_zh_hant,
    Item.name_zh_hans,
    User.name.label("owner"),
)


def _joined(work: Work) -> sa.Select[Any]:
    return (
        visible_to(work.actor)
        .join(Account, Account.id == Case.account_id)
        .outerjoin(Order, Order.id == Case.order_id)
        .outerjoin(OrderLine, OrderLine.id == Case.order_line_id)
        .outerjoin(Item, Item.id == OrderLine.item_id)
        .outerjoin(User, User.id == Case.owner_id)
    )


def _shown(work: Work, show: str) -> sa.ColumnElement[bool]:
    unfinished = Case.state.in_(_UNFINISHED)
    conditions: dict[str, sa.ColumnElement[bool]] = {
        "mine": sa.and_(unfinished, Case.owner_id == work.actor.user_id),
        "unassigned": sa.and_(unfinished, Case.owner_id.is_(None)),
        "waiting": Case.state == CaseState.WAITING,
        "overdue": _overdue(work.now),
        "solved": Case.state == CaseState.SOLVED,
        "closed": Case.state == CaseState.CLOSED,
        "all": sa.true(),
    }
    return conditions.get(show, unfinished)


def _overdue(now: dt.datetime) -> sa.ColumnElement[bool]:
    """A running clock is over; one that waits for the customer does not get later."""
    return sa.or_(
        sa.and_(Case.state == CaseState.OPEN, Case.answered_at.is_(None), Case.answer_due_at < now),
        sa.and_(Case.state == CaseState.OPEN, Case.solve_due_at < now),
        sa.and_(Case.state == CaseState.WAITING, Case.solve_due_at < Case.paused_at),
    )


_DUE = sa.case((Case.answered_at.is_(None), Case.answer_due_at), else_=Case.solve_due_at)
_STANDING = sa.case(
    (Case.state == CaseState.OPEN, 0), (Case.state == CaseState.WAITING, 1), else_=2
)
_ORDERS: dict[str, tuple[Any, ...]] = {
    "due": (_STANDING, _DUE),
    "no": (Case.no,),
    "account": (Account.name,),
    "opened": (Case.opened_at,),
}


def list_cases(
    work: Work,
    *,
    show: str = "",
    words: str = "",
    kind: str = "",
    sort: str = "due",
    descending: bool = False,
    offset: int = 0,
    limit: int = 50,
) -> tuple[list[CaseRow], int]:
    """The rows that the reader asked for and how many there are in all.

    ``show`` is one of ``SHOWS`` (empty: all that are not solved). ``words`` is looked for in
    number, subject, serial numbers, item, order and account.
    """
    query = _joined(work).where(_shown(work, show))
    if kind in set(CaseKind):
        query = query.where(Case.kind == CaseKind(kind))
    if words:
        fields = (Case.no, Case.subject, Case.serial_nos, Item.no, Order.no, Account.name)
        query = query.where(sa.or_(*(holds(f, words) for f in fields)))
    total = work.session.scalar(query.with_only_columns(sa.func.count())) or 0
    order = [c.desc() if descending else c.asc() for c in _ORDERS.get(sort, _ORDERS["due"])]
    page = query.order_by(*order, Case.id).offset(offset).limit(limit)
    return _rows(work, page), total


def of_order(work: Work, order_id: int) -> list[CaseRow]:
    """Cases of one order, newest first."""
    query = _joined(work).where(Case.order_id == order_id).order_by(Case.opened_at.desc(), Case.id)
    return _rows(work, query)


def of_account(work: Work, account_id: int, *, limit: int = 20) -> list[CaseRow]:
    """Cases of one account, newest first."""
    query = _joined(work).where(Case.account_id == account_id)
    return _rows(work, query.order_by(Case.opened_at.desc(), Case.id).limit(limit))


def _rows(work: Work, query: sa.Select[Any]) -> list[CaseRow]:
    found = work.session.execute(
        query.with_only_columns(*_COLUMNS).options(selectinload(Case.pauses))
    ).all()
    known = calendars(work.session)
    return [
        CaseRow(
            id=r.Case.id,
            no=r.Case.no,
            version=r.Case.version,
            kind=r.Case.kind,
            state=r.Case.state,
            subject=r.Case.subject,
            urgent=r.Case.urgent,
            serial_nos=r.Case.serial_nos,
            account_id=r.Case.account_id,
            account_name=r.account_name,
            account_language=r.account_language,
            customer_class=r.customer_class,
            order_no=r.order_no,
            line_no=r.line_no,
            item_no=r.item_no,
            item_name=r.item_name,
            item_name_zh_hant=r.name_zh_hant,
            item_name_zh_hans=r.name_zh_hans,
            owner_id=r.Case.owner_id,
            owner=r.owner,
            opened_at=r.Case.opened_at,
            answered_at=r.Case.answered_at,
            solved_at=r.Case.solved_at,
            closed_at=r.Case.closed_at,
            clocks=read_clocks(r.Case, known.of_site(r.site_id), work.now),
        )
        for r in found
    ]


def read_clocks(case: Case, calendar: WorkCalendar, now: dt.datetime) -> Clocks:
    """Both clocks of a case whose pauses are loaded."""
    return Clocks(
        answer=clocks.read(
            calendar, case.opened_at, clocks.ANSWER_WITHIN, now, met_at=case.answered_at
        ),
        solve=clocks.read(
            calendar,
            case.opened_at,
            clocks.SOLVE_WITHIN,
            now,
            pauses=case.stretches(),
            met_at=case.solved_at,
        ),
    )


@dataclass(frozen=True)
class Counts:
    """What the desk's heading and its filter buttons say."""

    unfinished: int
    accounts: int
    mine: int
    unassigned: int
    waiting: int
    overdue: int
    overdue_unassigned: int
    due_today: int
    due_today_mine: int


def counts(work: Work) -> Counts:
    """All figures of the heading in one statement."""
    mine = Case.owner_id == work.actor.user_id
    late = _overdue(work.now)
    soon = sa.and_(
        Case.state == CaseState.OPEN, sa.not_(late), work.now + dt.timedelta(hours=24) >= _DUE
    )

    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)

    row = work.session.execute(
        visible_to(work.actor)
        .where(Case.state.in_(_UNFINISHED))
        .with_only_columns(
            sa.func.count(),
            sa.func.count(Case.account_id.distinct()),
            count(mine),
            count(Case.owner_id.is_(None)),
            count(Case.state == CaseState.WAITING),
            count(late),
            count(sa.and_(late, Case.owner_id.is_(None))),
            count(soon),
            count(sa.and_(soon, mine)),
        )
    ).one()
    return Counts(*(int(n) for n in row))


@dataclass(frozen=True)
class Kept:
    """How well the promises to customers were kept; None where nothing was measured."""

    answered: int
    median_answer: dt.timedelta | None
    solved: int
    solved_in_time: int


def kept(work: Work) -> Kept:
    """First answers and solutions of the last ``MEASURED_DAYS`` days, in service time."""
    since = work.now - dt.timedelta(days=MEASURED_DAYS)
    query = (
        visible_to(work.actor)
        .outerjoin(Order, Order.id == Case.order_id)
        .where(sa.or_(Case.answered_at >= since, Case.solved_at >= since))
        .with_only_columns(Case, Order.site_id)
        .order_by(Case.id.desc())
        .limit(_MAX_MEASURED)
        .options(selectinload(Case.pauses))
    )
    known = calendars(work.session)
    answers: list[dt.timedelta] = []
    in_time = solved = 0
    for case, site_id in work.session.execute(query):
        both = read_clocks(case, known.of_site(site_id), work.now)
        if case.answered_at is not None and case.answered_at >= since:
            answers.append(both.answer.counted)
        if case.solved_at is not None and case.solved_at >= since:
            solved += 1
            in_time += not both.solve.over
    return Kept(
        answered=len(answers),
        median_answer=_median(answers),
        solved=solved,
        solved_in_time=in_time,
    )


def _median(spans: list[dt.timedelta]) -> dt.timedelta | None:
    if not spans:
        return None
    return dt.timedelta(seconds=statistics.median(s.total_seconds() for s in spans))


def causes(work: Work) -> Sequence[tuple[str, int]]:
    """Causes found in the last ``CAUSE_DAYS`` days, the most frequent first."""
    since = work.now - dt.timedelta(days=CAUSE_DAYS)
    number = sa.func.count()
    query = (
        visible_to(work.actor)
        .where(Case.solved_at >= since, Case.cause != "")
        .with_only_columns(Case.cause, number)
        .group_by(Case.cause)
        .order_by(number.desc(), Case.cause)
    )
    return work.session.execute(query).all()


def counts_by_line(work: Work, line_ids: Collection[int]) -> dict[int, int]:
    """How many cases there are per order line."""
    result: dict[int, int] = defaultdict(int)
    if line_ids:
        query = (
            visible_to(work.actor)
            .where(Case.order_line_id.in_(line_ids))
            .with_only_columns(Case.order_line_id, sa.func.count())
            .group_by(Case.order_line_id)
        )
        for line_id, number in work.session.execute(query):
            result[int(line_id or 0)] = number
    return result
