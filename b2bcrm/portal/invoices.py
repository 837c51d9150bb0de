"""The ERP's invoices of the reader's account, as rows: number, dates, what is still open."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.fulfillment.models import Invoice
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order

_MAX_SHOWN = 50


@dataclass(frozen=True)
class InvoiceRow:
    """One invoice; ``order_no`` is empty if it is for no order that we know."""

    no: str
    order_no: str
    invoiced_on: dt.date
    due_on: dt.date
    total: Money
    open_amount: Money

    def status(self, today: dt.date) -> str:
        """Done (paid), late (past its date) or ok."""
        if self.open_amount.amount <= 0:
            return "done"
        return "late" if self.due_on < today else "ok"


def invoices_of(work: Work, account_id: int) -> list[InvoiceRow]:
    """The newest invoices of an account; NotFound for a customer's person of another one."""
    if work.actor.is_portal and work.actor.account_id != account_id:
        raise not_found(Message("This page"))
    query = (
        sa.select(Invoice, Order.no)
        .outerjoin(Order, sa.and_(Order.id == Invoice.order_id, Order.account_id == account_id))
        .where(Invoice.account_id == account_id)
        .order_by(Invoice.invoiced_on.desc(), Invoice.id.desc())
        .limit(_MAX_SHOWN)
    )
    return [
        InvoiceRow(
            no=invoice.no,
            order_no=order_no or "",
            invoiced_on=invoice.invoiced_on,
            due_on=invoice.due_on,
            total=Money.of(invoice.total, invoice.currency),
            open_amount=Money.of(invoice.open_amount, invoice.currency),
        )
        for invoice, order_no in work.session.execute(query)
    ]
