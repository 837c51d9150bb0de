"""What the quote editor reads beside the quote: the account at a glance, earlier prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.customers.models import Account
from b2bcrm.files import queries as file_queries
from b2bcrm.files.models import StoredFile
from b2bcrm.fulfillment.actions import Promises
from b2bcrm.fulfillment.models import OrderProjection
from b2bcrm.fulfillment.planning.sureness_paths import Sure, Told
from b2bcrm.fulfillment.queries.prices import bought
from b2bcrm.fulfillment.queries.sureness import Sureness
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState, Status
from b2bcrm.orders.models import Order
from b2bcrm.ports.promise import Answer, Source
from b2bcrm.quotes import queries
from b2bcrm.quotes.lifecycle import QuoteState
from b2bcrm.quotes.models import InquiryLine
from b2bcrm.quotes.queries import Opened, Paid, People
from b2bcrm.service.lifecycle import CaseState
from b2bcrm.service.models import Case

SOURCE_WORDS = {
    "stock": Message("Stock"),
    "purchase_order": Message("Purchase order"),
    "work_order": Message("Work order"),
    "lead_time": Message("Bought anew"),
    "planned_order": Message("Made anew"),
    "capacity": Message("Hours"),
}


@dataclass(frozen=True)
class Glance:
    """The account in five figures. ``bought`` is base currency, of the last twelve months."""

    bought: Money
    open_orders: int
    late_orders: int
    open_cases: int
    credit_pct: Decimal | None


@dataclass(frozen=True)
class EditorFacts:
    """What stands around the lines. ``people`` only where the terms can be edited.

    ``rests`` is, by line number, what the dates of a sent quote were held on; ``sure`` how sure
    the dates of a draft or sent quote are.
    """

    opened: Opened
    glance: Glance
    paid: Mapping[int, Paid]
    wishes: Sequence[InquiryLine]
    files: Sequence[StoredFile]
    people: People | None
    rests: Mapping[str, Sequence[Source]]
    sure: Mapping[int, Sure]


def glance(work: Work, account: Account, company: Company) -> Glance:
    """Two statements."""
    of_account = Order.account_id == account.id
    total = bought(work, {account.id}).get(account.id, Decimal(0))
    opened = sa.select(sa.func.count()).where(of_account, Order.state == OrderState.CONFIRMED)
    late = sa.select(sa.func.count()).where(
        OrderProjection.account_id == account.id,
        OrderProjection.status == Status.LATE,
        OrderProjection.order_id.in_(
            sa.select(Order.id).where(of_account, Order.state == OrderState.CONFIRMED)
        ),
    )
    cases = sa.select(sa.func.count()).where(
        Case.account_id == account.id, Case.state.in_((CaseState.OPEN, CaseState.WAITING))
    )
    row = work.session.execute(
        sa.select(opened.scalar_subquery(), late.scalar_subquery(), cases.scalar_subquery())
    ).one()
    credit = account.credit_used * 100 / account.credit_limit if account.credit_limit else None
    return Glance(Money.of(total, company.currency), row[0], row[1], row[2], credit)


def read(work: Work, opened: Opened, *, editable: bool) -> EditorFacts:
    """Everything, in at most ten statements of its own."""
    quote, facts = opened.quote, opened.facts
    wishes: Sequence[InquiryLine] = ()
    files: Sequence[StoredFile] = ()
    if facts.inquiry is not None:
        lines = work.session.scalars(
            sa.select(InquiryLine)
            .where(InquiryLine.inquiry_id == facts.inquiry.id)
            .order_by(InquiryLine.line_no)
        ).all()
        taken = {line.line_no for line in quote.lines}
        wishes = [wish for wish in lines if wish.line_no not in taken]
        files = file_queries.of_subject(work, "inquiry", facts.inquiry.id)
    return EditorFacts(
        opened=opened,
        glance=glance(work, facts.account, facts.company),
        paid=queries.paid_before(
            work.session, quote.account_id, [line.item_id for line in quote.lines], quote.currency
        ),
        wishes=wishes,
        files=files,
        people=queries.people_of(work.session, quote.account_id) if editable else None,
        rests={answer.ref: answer.sources for answer in _held(work, opened)},
        sure=_sure(work, opened),
    )


def _sure(work: Work, opened: Opened) -> Mapping[int, Sure]:
    quote, facts = opened.quote, opened.facts
    if quote.state not in (QuoteState.DRAFT, QuoteState.SENT):
        return {}
    told_on = quote.sent_at.astimezone(HOME_ZONE).date() if quote.sent_at else work.today
    promises = {
        line.line_no: Told(
            quote.incoterm,
            not facts.account.partial_delivery,
            facts.items[line.item_id].family,
            facts.items[line.item_id].no,
            told_on,
            line.promised_on,
        )
        for line in quote.lines
        if line.promised_on is not None
    }
    learned = Sureness(work, promises)
    found = {line_no: learned.of(line_no) for line_no in promises}
    return {line_no: one for line_no, one in found.items() if one is not None}


def _held(work: Work, opened: Opened) -> Sequence[Answer]:
    sent = opened.quote.state is QuoteState.SENT
    return Promises(work).why(opened.quote.hold_ref) if sent else ()
