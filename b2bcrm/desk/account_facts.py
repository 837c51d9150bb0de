"""What the account page reads: one account with what all features know of it.

The promise-kept rate counts order lines whose first promised date lies in the last 12 months:
kept means the whole quantity was handed over by then (on time, in full): delivered for D-terms
(Incoterms 2020), shipped for all others. A line that is past its date and not handed over counts
as missed; without any such line there is no rate. Values of open orders are in base currency,
amounts bought in the account's own.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from b2bcrm.customers import queries as customers
from b2bcrm.customers.joining import around
from b2bcrm.customers.models import Account, Contact, ErpCustomer, ShipTo, Touch
from b2bcrm.customers.queries import PartRow
from b2bcrm.desk.account_timeline import Row, timeline
from b2bcrm.fulfillment.models import OrderProjection, Shipment, ShipmentLine
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState, Stage, Status
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.quotes.lifecycle import InquiryState, QuoteState
from b2bcrm.quotes.models import Inquiry, Quote
from b2bcrm.service.lifecycle import CaseState
from b2bcrm.service.models import Case
from b2bcrm.sync.models import Feed
from b2bcrm.users.models import User

YEAR = dt.timedelta(days=365)
OPEN_STATES = (OrderState.DRAFT, OrderState.SUBMITTED, OrderState.CONFIRMED)
BOUGHT_STATES = (OrderState.CONFIRMED, OrderState.CLOSED)
OPEN_QUOTES = (QuoteState.DRAFT, QuoteState.SENT)
OPEN_CASES = (CaseState.OPEN, CaseState.WAITING)
MAX_ORDERS, MAX_QUOTES, MAX_CASES = 300, 12, 8
_ZERO = Decimal(0)


@dataclass(frozen=True)
class Kept:
    """``kept`` of ``due`` lines were handed over whole by their first promised date."""

    due: int
    kept: int

    @property
    def pct(self) -> Decimal | None:
        """Share in percent; None without data, which is not 100 %."""
        return None if not self.due else Decimal(100) * self.kept / self.due

    @property
    def missed(self) -> int:
        """Lines that were late or incomplete."""
        return self.due - self.kept


@dataclass(frozen=True)
class OrderRow:
    """An order and what fulfillment expects of it; None before the first computation."""

    order: Order
    projection: OrderProjection | None

    @property
    def is_open(self) -> bool:
        """Neither final nor wholly delivered."""
        done = self.projection is not None and self.projection.status == Status.DONE
        return self.order.state in OPEN_STATES and not done


@dataclass(frozen=True)
class Person:
    """A contact, whether he can sign in to the portal, and when we last spoke."""

    contact: Contact
    on_portal: bool
    last_touch_at: dt.datetime | None


@dataclass(frozen=True)
class StageSum:
    """The account's open business in one stage; ``value`` in base currency."""

    count: int
    value: Decimal
    late: int
    status: str


@dataclass(frozen=True)
class AccountPage:
    """Everything the account page shows."""

    account: Account
    erp_customers: Sequence[ErpCustomer]
    taken_over: Sequence[ErpCustomer]
    owner: str
    base: str
    credit_as_of: dt.datetime | None
    kept: Kept
    bought: Money
    bought_before: Money
    bought_elsewhere: int
    open_inquiries: int
    oldest_inquiry_at: dt.datetime | None
    delivered_year: int
    orders: list[OrderRow]
    quotes: list[Quote]
    cases: list[Case]
    people: list[Person]
    ship_tos: Sequence[ShipTo]
    parts: Sequence[PartRow]
    timeline: list[Row]
    more_events: bool

    @property
    def open_orders(self) -> list[OrderRow]:
        """Orders that still need something."""
        return [row for row in self.orders if row.is_open]

    @property
    def done_orders(self) -> list[OrderRow]:
        """Delivered, closed and cancelled orders, newest first."""
        return [row for row in self.orders if not row.is_open]

    @property
    def open_value(self) -> Decimal:
        """Value of what is not delivered yet, in base currency."""
        return sum((r.projection.open_value for r in self.open_orders if r.projection), _ZERO)

    @property
    def open_quotes(self) -> list[Quote]:
        """Quotes that are not decided."""
        return [quote for quote in self.quotes if quote.state in OPEN_QUOTES]

    @property
    def open_cases(self) -> list[Case]:
        """Cases that are not solved."""
        return [case for case in self.cases if case.state in OPEN_CASES]

    def stages(self) -> dict[Stage, StageSum]:
        """Open orders added up by the stage they stand in."""
        rows: dict[Stage, list[OrderProjection | None]] = defaultdict(list)
        for row in self.open_orders:
            rows[row.projection.stage if row.projection else Stage.ORDER].append(row.projection)
        return {stage: _sum(found) for stage, found in rows.items()}


def _sum(projections: list[OrderProjection | None]) -> StageSum:
    known = [p for p in projections if p is not None]
    statuses = {p.status for p in known}
    worst = next((s for s in (Status.LATE, Status.RISK) if s in statuses), Status.OK)
    return StageSum(
        count=len(projections),
        value=sum((p.open_value for p in known), _ZERO),
        late=sum(p.status == Status.LATE for p in known),
        status=worst.value,
    )


def account_page(work: Work, account_id: int, *, events: int = 30) -> AccountPage:
    """One account with its orders, quotes, cases, people and history; NotFound if not visible."""
    head = _head(work, account_id)
    account: Account = head.Account
    currency = account.currency
    rows, more = timeline(work, account_id, events)
    own, gone = around(work, account_id)
    return AccountPage(
        account=account,
        erp_customers=own,
        taken_over=gone,
        owner=head.owner or account.sales_rep,
        base=head.base or currency,
        credit_as_of=_newest(account.credit_as_of, head.feed_as_of),
        kept=Kept(head.due, head.kept),
        bought=Money(head.bought or _ZERO, currency),
        bought_before=Money(head.bought_before or _ZERO, currency),
        bought_elsewhere=head.bought_elsewhere,
        open_inquiries=head.open_inquiries,
        oldest_inquiry_at=head.oldest_inquiry_at,
        delivered_year=head.delivered_year,
        orders=_orders(work, account_id),
        quotes=_quotes(work, account_id),
        cases=_cases(work, account_id),
        people=_people(work, account_id),
        ship_tos=customers.ship_tos_of(work, account_id),
        parts=customers.parts_of(work, account_id),
        timeline=rows,
        more_events=more,
    )


def _newest(own: dt.datetime | None, feed: dt.datetime | None) -> dt.datetime | None:
    """A feed that ran and brought no change says that the figure still stands."""
    return max(own, feed) if own and feed else own


def _head(work: Work, account_id: int) -> Any:
    """The account with all single figures, in one statement."""
    today, since = work.today, work.today - YEAR
    own = Order.account_id == account_id
    total = sa.func.sum(Order.total)
    bought = sa.and_(own, Order.state.in_(BOUGHT_STATES), Order.ordered_on > since)
    year_before = sa.and_(
        own,
        Order.state.in_(BOUGHT_STATES),
        Order.ordered_on > since - YEAR,
        Order.ordered_on <= since,
    )
    in_currency = Order.currency == Account.currency
    inquiry = sa.and_(Inquiry.account_id == account_id, Inquiry.state == InquiryState.OPEN)
    due, kept = _kept(own, since, today)
    columns: dict[str, sa.Select[Any]] = {
        "base": sa.select(Company.currency).order_by(Company.id).limit(1),
        "feed_as_of": sa.select(sa.func.min(Feed.data_as_of)).where(Feed.entity == "customer"),
        "bought": sa.select(total).where(bought, in_currency).correlate(Account),
        "bought_before": sa.select(total).where(year_before, in_currency).correlate(Account),
        "bought_elsewhere": sa.select(sa.func.count(Order.id))
        .where(bought, ~in_currency)
        .correlate(Account),
        "open_inquiries": sa.select(sa.func.count(Inquiry.id)).where(inquiry),
        "oldest_inquiry_at": sa.select(sa.func.min(Inquiry.received_at)).where(inquiry),
        "delivered_year": sa.select(sa.func.count(Order.id)).where(
            own, Order.state == OrderState.CLOSED, Order.ordered_on > since
        ),
        "due": due,
        "kept": kept,
    }
    query = (
        customers.visible_to(work.actor)
        .outerjoin(User, User.id == Account.owner_id)
        .where(Account.id == account_id)
        .with_only_columns(
            Account,
            User.name.label("owner"),
            *(select.scalar_subquery().label(name) for name, select in columns.items()),
        )
    )
    head = work.session.execute(query).first()
    if head is None:
        raise not_found(Message("This account"))
    return head


def _kept(
    own: sa.ColumnElement[bool], since: dt.date, today: dt.date
) -> tuple[sa.Select[int], sa.Select[int]]:
    """Lines due in the last 12 months, and those handed over whole by their first promise."""
    d_terms = Order.incoterm.startswith("D")
    in_time = (
        sa.select(sa.func.coalesce(sa.func.sum(ShipmentLine.qty), 0))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(
            ShipmentLine.order_line_id == OrderLine.id,
            sa.case((d_terms, Shipment.delivered_on), else_=Shipment.shipped_on)
            <= OrderLine.first_promised_on,
        )
        .correlate(OrderLine, Order)
        .scalar_subquery()
    )
    due = (
        sa.select(sa.func.count(OrderLine.id))
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            own,
            Order.state.in_(BOUGHT_STATES),
            ~OrderLine.cancelled,
            OrderLine.first_promised_on > since,
            OrderLine.first_promised_on < today,
        )
    )
    return due, due.where(in_time >= OrderLine.ordered_qty)


def _orders(work: Work, account_id: int) -> list[OrderRow]:
    done = sa.or_(
        Order.state.not_in(OPEN_STATES),
        sa.func.coalesce(OrderProjection.status, Status.OK.value) == Status.DONE.value,
    )
    query = (
        sa.select(Order, OrderProjection)
        .outerjoin(OrderProjection, OrderProjection.order_id == Order.id)
        .where(
            Order.account_id == account_id, Order.account_id.in_(customers.visible_ids(work.actor))
        )
        .order_by(sa.case((done, 1), else_=0), Order.ordered_on.desc(), Order.id.desc())
        .limit(MAX_ORDERS)
    )
    return [OrderRow(*row) for row in work.session.execute(query)]


def _quotes(work: Work, account_id: int) -> list[Quote]:
    undecided = sa.case((Quote.state.in_(OPEN_QUOTES), 0), else_=1)
    query = (
        sa.select(Quote)
        .where(
            Quote.current,
            Quote.account_id == account_id,
            Quote.account_id.in_(customers.visible_ids(work.actor)),
        )
        .order_by(undecided, Quote.created_at.desc(), Quote.id.desc())
        .limit(MAX_QUOTES)
    )
    return list(work.session.scalars(query))


def _cases(work: Work, account_id: int) -> list[Case]:
    unsolved = sa.case((Case.state.in_(OPEN_CASES), 0), else_=1)
    query = (
        sa.select(Case)
        .where(
            Case.account_id == account_id, Case.account_id.in_(customers.visible_ids(work.actor))
        )
        .order_by(unsolved, Case.opened_at.desc(), Case.id.desc())
        .limit(MAX_CASES)
    )
    return list(work.session.scalars(query))


def _people(work: Work, account_id: int) -> list[Person]:
    signs_in = (
        sa.select(User.id)
        .where(User.active, User.account_id == account_id)
        .where(User.email == sa.func.lower(Contact.email))
        .exists()
    )
    last = sa.select(sa.func.max(Touch.at)).where(Touch.contact_id == Contact.id).scalar_subquery()
    query = (
        sa.select(Contact, signs_in, last)
        .where(
            Contact.account_id == account_id,
            Contact.account_id.in_(customers.visible_ids(work.actor)),
        )
        .order_by(Contact.name, Contact.id)
    )
    return [Person(*row) for row in work.session.execute(query)]
