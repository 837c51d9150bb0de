"""What the list of accounts reads: each with its open business, credit and last touch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from b2bcrm.customers import queries as customers
from b2bcrm.customers.models import Account, Touch
from b2bcrm.fulfillment.models import OrderProjection
from b2bcrm.kernel.matching import holds, starts
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import Status
from b2bcrm.quotes.lifecycle import QuoteState
from b2bcrm.quotes.models import Quote
from b2bcrm.users.models import User
from b2bcrm.web.paging import Asked

LIGHTS = ("ok", "risk", "late")
_OPEN_QUOTES = (QuoteState.DRAFT, QuoteState.SENT)
_ZERO = Decimal(0)
_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class AccountRow:
    """One account of the list. ``open_value`` in base currency; None where there is no data."""

    account: Account
    owner: str
    open_orders: int
    open_value: Decimal
    late: int
    quotes: int
    last_touch_at: dt.datetime | None

    @property
    def light(self) -> str:
        """The credit light: ok, risk or late."""
        return self.account.credit_light()


SORTS = ("name", "class", "country", "open", "late", "quotes", "credit", "touch")
FILTERS = ("q", "class", "country", "credit", "kind", "owner")


def base_currency(work: Work) -> str:
    """The currency in which the group counts; empty before set-up."""
    query = sa.select(Company.currency).order_by(Company.id).limit(1)
    return work.session.scalar(query) or ""


def _light() -> sa.Case[int]:
    """The rule of ``Account.credit_light`` as SQL: 0 ok, 1 risk, 2 late."""
    limited = Account.credit_limit > 0
    over = sa.and_(limited, Account.credit_used > Account.credit_limit)
    nearly = sa.and_(
        limited,
        sa.type_coerce(Account.credit_used, sa.BigInteger) * 10
        >= sa.type_coerce(Account.credit_limit, sa.BigInteger) * 8,
    )
    return sa.case(
        (sa.or_(Account.credit_hold, over, Account.other_light == "late"), 2),
        (sa.or_(nearly, Account.overdue_amount > 0, Account.other_light == "risk"), 1),
        else_=0,
    )


def list_accounts(work: Work, asked: Asked) -> tuple[list[AccountRow], int]:
    """The page of accounts that is asked for, and how many there are."""
    late = sa.case((OrderProjection.status == Status.LATE, 1), else_=0)
    orders = (
        sa.select(
            OrderProjection.account_id,
            sa.func.count().label("n"),
            sa.func.sum(OrderProjection.open_value).label("value"),
            sa.func.sum(late).label("late"),
        )
        .where(OrderProjection.status != Status.DONE)
        .group_by(OrderProjection.account_id)
        .subquery()
    )
    quotes = (
        sa.select(Quote.account_id, sa.func.count().label("n"))
        .where(Quote.current, Quote.state.in_(_OPEN_QUOTES))
        .group_by(Quote.account_id)
        .subquery()
    )
    touched = (
        sa.select(Touch.account_id, sa.func.max(Touch.at).label("at"))
        .group_by(Touch.account_id)
        .subquery()
    )
    query = (
        customers.visible_to(work.actor)
        .outerjoin(User, User.id == Account.owner_id)
        .outerjoin(orders, orders.c.account_id == Account.id)
        .outerjoin(quotes, quotes.c.account_id == Account.id)
        .outerjoin(touched, touched.c.account_id == Account.id)
        .where(*_conditions(work, asked))
    )
    sorts: dict[str, Any] = {
        "name": sa.func.lower(Account.name),
        "class": Account.customer_class,
        "country": Account.country,
        "open": sa.func.coalesce(orders.c.value, 0),
        "late": sa.func.coalesce(orders.c.late, 0),
        "quotes": sa.func.coalesce(quotes.c.n, 0),
        "credit": _light(),
        "touch": sa.func.coalesce(touched.c.at, _NEVER),
    }
    order = sorts[asked.sort].desc() if asked.descending else sorts[asked.sort].asc()
    total = work.session.scalar(
        customers.visible_to(work.actor)
        .where(*_conditions(work, asked))
        .with_only_columns(sa.func.count())
    )
    found = work.session.execute(
        query.with_only_columns(
            Account,
            sa.func.coalesce(User.name, Account.sales_rep),
            sa.func.coalesce(orders.c.n, 0),
            orders.c.value,
            sa.func.coalesce(orders.c.late, 0),
            sa.func.coalesce(quotes.c.n, 0),
            touched.c.at,
        )
        .order_by(order, Account.id)
        .offset(asked.offset)
        .limit(asked.limit)
    )
    rows = [
        AccountRow(account, owner, n, value or _ZERO, late_, open_quotes, at)
        for account, owner, n, value, late_, open_quotes, at in found
    ]
    return rows, total or 0


def _conditions(work: Work, asked: Asked) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [Account.active.is_(True)]
    if q := asked.get("q"):
        found.append(
            sa.or_(
                holds(Account.name, q),
                holds(Account.short_name, q),
                holds(Account.city, q),
                starts(Account.erp_id, q),
            )
        )
    if customer_class := asked.get("class"):
        found.append(Account.customer_class == customer_class)
    if country := asked.get("country"):
        found.append(Account.country == country)
    if (light := asked.get("credit")) in LIGHTS:
        found.append(_light() == LIGHTS.index(light))
    if kind := asked.get("kind"):
        known = Account.erp_id.is_not(None)
        found.append(known if kind == "customer" else ~known)
    if asked.get("owner") == "me":
        found.append(Account.owner_id == work.actor.user_id)
    return found


def countries(work: Work) -> Sequence[str]:
    """Countries in which we have accounts."""
    query = (
        customers.visible_to(work.actor)
        .with_only_columns(Account.country)
        .where(Account.active, Account.country != "")
    )
    return work.session.scalars(query.distinct().order_by(Account.country)).all()
