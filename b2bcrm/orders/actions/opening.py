"""How an order comes to be: from an accepted quote, by staff, or first seen in the ERP."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from b2bcrm.kernel.numbering import next_number
from b2bcrm.kernel.work import Work
from b2bcrm.orders import events
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine, Origin


@dataclass(frozen=True, kw_only=True)
class OrderDraftLine:
    """One line to be ordered; ``requested_on`` is the customer's wish."""

    line_no: int
    item_id: int
    unit: str
    qty: Decimal
    unit_price: Decimal
    requested_on: dt.date
    discount_pct: Decimal = Decimal(0)
    promised_on: dt.date | None = None
    description: str = ""
    customer_part_no: str = ""
    customer_po_line: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderDraft:
    """Everything an order needs at birth. ``source_no`` is the quote's or the ERP's number."""

    account_id: int
    company_id: int
    site_id: int
    origin: Origin
    currency: str
    rate: Decimal
    lines: tuple[OrderDraftLine, ...]
    contact_id: int | None = None
    ship_to_id: int | None = None
    quote_id: int | None = None
    owner_id: int | None = None
    customer_po: str = ""
    incoterm: str = "EXW"
    incoterm_place: str = ""
    payment_terms: str = ""
    partial_delivery: bool = True
    note: str = ""
    ordered_on: dt.date | None = None
    source_no: str = ""


def open_order(work: Work, draft: OrderDraft, *, no: str | None = None) -> Order:
    """A submitted order with its own number (``no`` is given only when the ERP carries ours).

    The unique quote_id makes a second order from the same quote impossible.
    """
    order = Order(
        no=no or next_number(work.session, "SO", work.today.year),
        company_id=draft.company_id,
        site_id=draft.site_id,
        account_id=draft.account_id,
        contact_id=draft.contact_id,
        ship_to_id=draft.ship_to_id,
        quote_id=draft.quote_id,
        owner_id=draft.owner_id,
        origin=draft.origin,
        state=OrderState.SUBMITTED,
        amendment_no=0,
        customer_po=draft.customer_po,
        currency=draft.currency,
        rate=draft.rate,
        incoterm=draft.incoterm,
        incoterm_place=draft.incoterm_place,
        payment_terms=draft.payment_terms,
        partial_delivery=draft.partial_delivery,
        note=draft.note,
        ordered_on=draft.ordered_on or work.today,
        changed_at=work.now,
        changed_by=work.actor.name,
        lines=[
            OrderLine(
                line_no=line.line_no,
                item_id=line.item_id,
                description=line.description,
                customer_part_no=line.customer_part_no,
                customer_po_line=line.customer_po_line,
                unit=line.unit,
                ordered_qty=line.qty,
                unit_price=line.unit_price,
                discount_pct=line.discount_pct,
                requested_on=line.requested_on,
                promised_on=line.promised_on,
            )
            for line in draft.lines
        ],
    )
    order.add_up()
    work.session.add(order)
    work.session.flush()  # flush: the event needs the order's id
    work.publish(
        events.OrderSubmitted(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            origin=order.origin.value,
            source_no=draft.source_no,
        )
    )
    return order
