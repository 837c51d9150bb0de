"""The SELECTs of the order list: rows with their projection, counts by status, what to choose.

Each starts from ``orders.queries.visible_to``. Not here: the page (``desk/orders.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account
from b2bcrm.fulfillment.models import OrderProjection
from b2bcrm.kernel.actor import Actor
from b2bcrm.kernel.database import STATEMENTS
from b2bcrm.kernel.matching import holds, starts
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import STAGE_WORDS, ErpSync, OrderState, Stage, Status
from b2bcrm.orders.models import Order, OrderLine, Origin
from b2bcrm.orders.queries import visible_to

OPEN_STATES = (OrderState.DRAFT, OrderState.SUBMITTED, OrderState.CONFIRMED)
DONE_STATES = (OrderState.CLOSED, OrderState.CANCELLED)
SHOWS = ("late", "risk", "done", "all")
FILTERS = ("show", "mine", "account", "country", "origin", "family", "focus", "q")
STAGES = tuple(Stage)

_P = OrderProjection
SORTS: dict[str, tuple[Any, ...]] = {
    "no": (Order.no,),
    "customer": (Account.name,),
    "ordered": (Order.ordered_on,),
    "requested": (_P.requested_on,),
    "promised": (_P.promised_on,),
    "projected": (_P.projected_on,),
    # As floats: the product of two scaled integers leaves BIGINT above nine million.
    "value": (sa.cast(Order.total, sa.Float) * sa.cast(Order.rate, sa.Float),),
}


class OrderRow(NamedTuple):
    """One order as the list shows it. Dates are those of its projection."""

    no: str
    state: OrderState
    origin: Origin
    customer_po: str
    total: Decimal
    currency: str
    rate: Decimal
    ordered_on: dt.date
    hold_reason: str | None
    erp_sync: ErpSync
    erp_no: str | None
    account_id: int
    account: str
    country: str
    requested_on: dt.date | None
    promised_on: dt.date | None
    projected_on: dt.date | None
    stage: Stage | None
    stage_pct: int | None
    status: Status | None
    status_reason: Message | None
    cause: Message | None
    next_step: Message | None
    base_currency: str

    @property
    def value(self) -> Money:
        """In the order's currency."""
        return Money(self.total, self.currency)

    @property
    def base_value(self) -> Money:
        """In the base currency, at the order's own rate."""
        return self.value.to(self.base_currency, self.rate)

    @property
    def stages_done(self) -> int:
        """How many stages of the life line lie behind; 8 for a closed order."""
        if self.state is OrderState.CLOSED:
            return len(STAGES)
        return STAGES.index(self.stage or Stage.ORDER)

    @property
    def chip(self) -> tuple[str, Message]:
        """Colour and words: what people decided first, then what is expected."""
        if self.state in STATE_CHIPS:
            return STATE_CHIPS[self.state]
        if self.erp_sync is ErpSync.REFUSED:
            return REFUSED
        if self.hold_reason is not None and self.status is not Status.LATE:
            return "risk", Message("On hold")
        if self.status is None or self.status_reason is None:
            return "idle", Message("Not projected yet")
        return self.status.value, self.status_reason

    @property
    def stage_word(self) -> Message:
        """Where it is now."""
        return STAGE_WORDS[self.stage or Stage.ORDER]


REFUSED = ("late", Message("Refused by the ERP"))
STATE_CHIPS: dict[OrderState, tuple[str, Message]] = {
    OrderState.DRAFT: ("idle", Message("Draft")),
    OrderState.SUBMITTED: ("risk", Message("To be confirmed")),
    OrderState.CLOSED: ("done", Message("Closed")),
    OrderState.CANCELLED: ("idle", Message("Cancelled")),
}


def conditions(actor: Actor, filters: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
    """What the URL asks for, apart from ``show``."""
    found: list[sa.ColumnElement[bool]] = []
    if filters.get("mine"):
        found.append(Order.owner_id == (actor.user_id or 0))
    if (account := filters.get("account", "")).isdecimal():
        found.append(Order.account_id == min(int(account), 2**63 - 1))
    if country := filters.get("country"):
        found.append(Account.country == country)
    if filters.get("origin") in set(Origin):
        found.append(Order.origin == Origin(filters["origin"]))
    if family := filters.get("family"):
        lines = sa.select(OrderLine.order_id).join(Item, Item.id == OrderLine.item_id)
        found.append(Order.id.in_(lines.where(Item.family == family, ~OrderLine.cancelled)))
    focus = filters.get("focus")
    if focus == "confirm":
        found.append(Order.state == OrderState.SUBMITTED)
    elif focus == "hold":
        found.append(Order.hold_reason.is_not(None))
    elif focus == "erp":
        found.append(Order.erp_sync.in_((ErpSync.WAITING, ErpSync.REFUSED, ErpSync.UNKNOWN)))
    if words := filters.get("q"):
        found.append(
            sa.or_(
                starts(Order.no, words),
                holds(Order.customer_po, words),
                starts(Order.erp_no, words),
                holds(Account.name, words),
            )
        )
    return found


def _shown(show: str) -> list[sa.ColumnElement[bool]]:
    if show == "all":
        return []
    if show == "done":
        return [Order.state.in_(DONE_STATES)]
    found: list[sa.ColumnElement[bool]] = [Order.state.in_(OPEN_STATES)]
    if show in {"late", "risk"}:
        found.append(_P.status == Status(show))
    return found


def rows(
    work: Work,
    filters: Mapping[str, str],
    *,
    sort: str,
    descending: bool,
    offset: int,
    limit: int,
    full: bool = False,
) -> list[OrderRow]:
    """One page of the list; ``full`` with the next step, which only the download shows."""
    query = _list_of(work.actor, tuple(filters.items()), sort, descending=descending, full=full)
    return [OrderRow._make(row) for row in work.rows(query, {"skip": offset, "take": limit})]


@lru_cache(maxsize=STATEMENTS)
def _list_of(
    actor: Actor,
    filters: tuple[tuple[str, str], ...],
    sort: str,
    *,
    descending: bool,
    full: bool,
) -> Any:
    """Which orders come first is found before anything that is only shown is fetched."""
    by = [column.desc() if descending else column.asc() for column in SORTS[sort]]
    order_by = (*(column.nulls_last() for column in by), Order.id.desc())
    wanted = dict(filters)
    found = (
        _narrow(actor, wanted, sort)
        .outerjoin(_P, _P.order_id == Order.id)
        .where(*conditions(actor, wanted), *_shown(wanted.get("show", "")))
        .with_only_columns(Order.id)
        .order_by(*order_by)
        .offset(sa.bindparam("skip"))
        .limit(sa.bindparam("take"))
    )
    return (
        visible_to(actor)
        .join(Account, Account.id == Order.account_id)
        .outerjoin(_P, _P.order_id == Order.id)
        .join(Company, Company.id == Order.company_id)
        .where(Order.id.in_(found))
        .with_only_columns(
            Order.no,
            Order.state,
            Order.origin,
            Order.customer_po,
            Order.total,
            Order.currency,
            Order.rate,
            Order.ordered_on,
            Order.hold_reason,
            Order.erp_sync,
            Order.erp_no,
            Account.id,
            Account.name,
            Account.country,
            _P.requested_on,
            _P.promised_on,
            _P.projected_on,
            _P.stage,
            _P.stage_pct,
            _P.status,
            _P.status_reason,
            _P.cause,
            _P.next_step if full else sa.null(),
            Company.currency,
        )
        .order_by(*order_by)
    )


@dataclass(frozen=True)
class Counts:
    """Open orders by status under the same filters; ``shown`` is what ``show`` asks for."""

    open: int
    late: int
    risk: int
    shown: int


def counts(work: Work, filters: Mapping[str, str]) -> Counts:
    """Numbers for the segments and the pager; a second statement only for done and all."""
    wanted = tuple((name, value) for name, value in filters.items() if name != "show")
    by_status: dict[Status | None, int] = dict(work.rows(_counts_of(work.actor, wanted)))
    opened = by_status[None]
    late, risk = by_status.get(Status.LATE, 0), by_status.get(Status.RISK, 0)
    show = filters.get("show", "")
    if show in {"done", "all"}:
        shown = work.rows(_count_of(work.actor, wanted, show))[0][0]
    else:
        shown = {"late": late, "risk": risk}.get(show, opened)
    return Counts(opened, late, risk, shown)


@lru_cache(maxsize=STATEMENTS)
def _counts_of(actor: Actor, filters: tuple[tuple[str, str], ...]) -> Any:
    """All open orders, and those of two statuses: the few are found from their status."""
    wanted = dict(filters)
    opened = _narrow(actor, wanted).where(*_shown(""), *conditions(actor, wanted))
    off = opened.join(_P, _P.order_id == Order.id).where(_P.status.in_((Status.LATE, Status.RISK)))
    return sa.union_all(
        opened.with_only_columns(sa.type_coerce(sa.null(), _P.status.type), sa.func.count()),
        off.with_only_columns(_P.status, sa.func.count()).group_by(_P.status),
    )


@lru_cache(maxsize=STATEMENTS)
def _count_of(actor: Actor, filters: tuple[tuple[str, str], ...], show: str) -> Any:
    wanted = dict(filters)
    query = _narrow(actor, wanted).where(*conditions(actor, wanted), *_shown(show))
    return query.with_only_columns(sa.func.count(Order.id))


def _narrow(actor: Actor, filters: Mapping[str, str], sort: str = "") -> sa.Select[Any]:
    """Orders, joined with their accounts only where a filter or the order looks at them."""
    query = visible_to(actor)
    if filters.get("country") or filters.get("q") or sort == "customer":
        query = query.join(Account, Account.id == Order.account_id)
    return query


@dataclass(frozen=True)
class Choices:
    """What the filters offer, and the name of the account that is filtered for."""

    countries: Sequence[str]
    families: Sequence[str]
    account: str


def choices(work: Work, account_id: str) -> Choices:
    """Countries of accounts and families of items that are sold, in one statement."""
    wanted = min(int(account_id), 2**63 - 1) if account_id.isdecimal() else 0
    found: dict[str, list[str]] = {"c": [], "f": [], "a": []}
    for kind, value in work.rows(_CHOICES, {"account_id": wanted}):
        found[kind].append(value)
    return Choices(sorted(found["c"]), sorted(found["f"]), "".join(found["a"]))


_CHOICES = sa.union_all(
    sa.select(sa.literal("c"), Account.country).where(Account.country != "").distinct(),
    sa.select(sa.literal("f"), Item.family).where(Item.sellable, Item.family != "").distinct(),
    sa.select(sa.literal("a"), Account.name).where(Account.id == sa.bindparam("account_id")),
)
