"""The orders that checks enter: modelled on one that the ERP holds, so that it will be taken."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import Act, Customer, Entity, Item, OrderDraft, OrderDraftLine, SalesOrder
from connectors.erp.contract.findings import Skipped
from connectors.erp.contract.ground import Ground

WANTED_IN_DAYS = 60
PROMISED_IN_DAYS = 63


def pattern(ground: Ground, reference: str) -> OrderDraft:
    """A draft of two lines for a customer and an item that the ERP sells.

    Taken from the newest order with a customer who may buy, unless the run names both. Raises
    Skipped when nothing can serve as a model.
    """
    model = _model(ground)
    today = ground.now().date()
    line = OrderDraftLine(
        line_no=1,
        item=ground.item or model.lines[0].item,
        qty=Decimal(5),
        uom=_uom(ground, ground.item) or model.lines[0].uom,
        unit_price=ground.price,
        discount_pct=Decimal(0),
        requested_on=today + dt.timedelta(days=WANTED_IN_DAYS),
        promised_on=today + dt.timedelta(days=PROMISED_IN_DAYS),
    )
    return OrderDraft(
        reference=reference,
        customer=model.customer,
        customer_po="CRM-CERT",
        ordered_on=today,
        currency=model.currency,
        ship_to=model.ship_to,
        incoterm=model.incoterm,
        incoterm_place=model.incoterm_place,
        payment_terms=model.payment_terms,
        site=model.site,
        note="CRM-CERT",
        lines=(line, dataclasses.replace(line, line_no=2, qty=Decimal(3))),
    )


def _model(ground: Ground) -> SalesOrder:
    """An order to model on; ``customer`` of the run, if given, must be its customer."""
    if not ground.info.can(Entity.SALES_ORDER, Act.LIST):
        raise Skipped(Message("There is no order to model one on: sales orders are not listed."))
    blocked = _blocked(ground)
    usable = [
        order
        for order in ground.listing(Entity.SALES_ORDER).records
        if isinstance(order, SalesOrder)
        and order.lines
        and not order.deleted
        and order.customer not in blocked
        and ground.customer in {"", order.customer}
        and (ground.item or _sold(ground, order.lines[0].item))
        and ground.connection.company in {"", order.company or ground.connection.company}
    ]
    if not usable:
        raise Skipped(
            Message("There is no order to model one on: enter one in the ERP for a free customer.")
        )
    return max(usable, key=lambda order: (order.ordered_on, order.erp_id))


def _blocked(ground: Ground) -> set[str]:
    if not ground.info.can(Entity.CUSTOMER, Act.LIST):
        return set()
    customers = ground.listing(Entity.CUSTOMER).records
    return {c.erp_id for c in customers if isinstance(c, Customer) and (c.credit_hold or c.deleted)}


def _items(ground: Ground) -> dict[str, Item]:
    if not ground.info.can(Entity.ITEM, Act.LIST):
        return {}
    found = ground.listing(Entity.ITEM).by_id()
    return {no: item for no, item in found.items() if isinstance(item, Item)}


def _sold(ground: Ground, no: str) -> bool:
    item = _items(ground).get(no)
    return item is None or (item.sellable and item.active and not item.deleted)


def _uom(ground: Ground, no: str) -> str:
    item = _items(ground).get(no)
    return item.base_uom if item else ""
