"""An order as the ERP is to hold it."""

from __future__ import annotations

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import ErpCustomer, ShipTo
from b2bcrm.customers.queries import erp_customer_for
from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order
from b2bcrm.ports.erp import OrderDraft, OrderDraftLine

NO_ACCOUNT = "no_erp_account"


def draft(work: Work, order: Order, reference: str, connection: str) -> OrderDraft:
    """The whole order as it stands now; Refused while that ERP does not know its account.

    The ERP customer is chosen anew until the ERP has the order, and never again.
    """
    session = work.session
    customer = session.get(ErpCustomer, order.erp_customer_id) if order.erp_customer_id else None
    if customer is None or order.erp_no is None:
        customer = erp_customer_for(
            work,
            order.account_id,
            connection=connection,
            company_id=order.company_id,
            ship_to_id=order.ship_to_id,
        )
    if customer is None:
        raise Refused(Message("The account has no ERP number yet."), code=NO_ACCOUNT)
    order.erp_customer_id = customer.id
    ship_to = session.get(ShipTo, order.ship_to_id) if order.ship_to_id else None
    site = session.get_one(Site, order.site_id)
    item_ids = [line.item_id for line in order.lines]
    query = sa.select(Item.id, Item.no).where(Item.id.in_(item_ids))
    item_nos = dict(session.execute(query).all())
    return OrderDraft(
        reference=reference,
        customer=customer.erp_id,
        customer_po=order.customer_po,
        ordered_on=order.ordered_on,
        currency=order.currency,
        ship_to=ship_to.code if ship_to else "",
        incoterm=order.incoterm,
        incoterm_place=order.incoterm_place,
        payment_terms=order.payment_terms,
        site=site.code,
        note=order.note,
        lines=tuple(
            OrderDraftLine(
                line_no=line.line_no,
                item=item_nos[line.item_id],
                qty=line.ordered_qty,
                uom=line.unit,
                unit_price=line.unit_price,
                discount_pct=line.discount_pct,
                requested_on=line.requested_on,
                promised_on=line.promised_on or line.requested_on,
                customer_part_no=line.customer_part_no,
                customer_po_line=line.customer_po_line,
            )
            for line in order.lines
            if not line.cancelled
        ),
    )
