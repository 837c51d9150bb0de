"""Every row of the ERP's tables and of our copy, in one comparable form: key -> digest.

Neither side goes through the connector or an intake: the twin's file is read as it lies, ours by
plain SELECTs. A digest covers every field that our copy keeps of the ERP.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from b2bcrm.catalog.models import BomRow, Item, PriceBreak, RoutingRow, WorkCenter
from b2bcrm.customers.models import Account, Contact, CustomerPart, ShipTo
from b2bcrm.fulfillment import models as supply
from b2bcrm.kernel.database import Base
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.ports.erp import Entity
from connectors.erp.twin import bulk

Digests = dict[str, str]


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ITEM = _names(
    "name name_zh_hant name_zh_hans spec family kind lead_time_days lot_size standard_cost "
    "cost_currency weight_kg sellable active"
)
_CUSTOMER = _names(
    "name short_name tax_id country currency price_list payment_terms incoterm incoterm_place "
    "customer_class credit_limit credit_used overdue_amount credit_hold partial_delivery sales_rep"
)
_WORK_ORDER = _names(
    "qty completed_qty scrapped_qty status planned_start_on planned_end_on first_planned_end_on "
    "actual_start_on actual_end_on demand_ref"
)
_OPERATION = _names(
    "step_no name work_center station status qty_done planned_start_on planned_end_on done_at"
)
_PURCHASE = _names(
    "line_no qty received_qty requested_on first_confirmed_on confirmed_on received_on demand_ref"
)
_LINE = _names("line_no unit_price discount_pct planned_on")
_SHIP_TO = _names("code name street city country receiving_days transit_days")
_COMPONENT = _names("component_no stands_in_for valid_from valid_to")
_STEP = _names("step_no name work_center setup_hours unit_hours")
_SAME: dict[Entity, tuple[type[Base], str, tuple[str, ...]]] = {
    # our model, its key, and the fields that both sides call alike
    Entity.ITEM: (Item, "no", _ITEM),
    Entity.CUSTOMER: (Account, "erp_id", _CUSTOMER),
    Entity.WORK_CENTER: (WorkCenter, "code", _names("name station hours_per_day")),
    Entity.PRICE: (
        PriceBreak,
        "erp_id",
        _names("price_list currency min_qty unit_price valid_from valid_to"),
    ),
    Entity.WORK_ORDER: (supply.WorkOrder, "no", _WORK_ORDER),
    Entity.SHIPMENT: (
        supply.Shipment,
        "no",
        _names("shipped_on delivered_on carrier tracking_no"),
    ),
    Entity.INVOICE: (
        supply.Invoice,
        "no",
        _names("invoiced_on due_on currency total open_amount"),
    ),
}


def digest(*facts: object) -> str:
    """SHA-256 of facts, written alike however a database keeps them."""
    return hashlib.sha256(repr([_plain(fact) for fact in facts]).encode()).hexdigest()


def _plain(fact: object) -> object:
    if isinstance(fact, Decimal):
        return format(fact.normalize(), "f")
    if isinstance(fact, dt.datetime):
        return fact.astimezone(dt.UTC).isoformat()
    if isinstance(fact, list | tuple):
        return [_plain(one) for one in fact]
    return None if fact is None else str(fact)


def _facts(row: Any, names: Iterable[str]) -> list[object]:
    return [getattr(row, name) for name in names]


# ---------------------------------------------------------------------------------- the ERP's side
def of_erp(path: Path) -> dict[Entity, Digests]:
    """The twin's file, per entity."""
    return {
        entity: {record.erp_id: digest(*_theirs(entity, record)) for record in records}
        for entity, records in bulk.rows(path).items()
    }


def _theirs(entity: Entity, record: Any) -> list[object]:
    alike = _facts(record, _SAME[entity][2]) if entity in _SAME else []
    return alike + _THEIRS[entity](record)


_THEIRS: Mapping[Entity, Callable[[Any], list[object]]] = {
    Entity.ITEM: lambda r: [r.base_uom, sorted(r.customer_part_nos.items())],
    Entity.CUSTOMER: lambda r: [
        sorted(_facts(a, _SHIP_TO) for a in r.addresses if a.kind == "ship_to"),
        sorted((c.name, c.email, c.phone, c.role) for c in r.contacts),
    ],
    Entity.WORK_CENTER: lambda r: [r.site, r.calendar],
    Entity.PRICE: lambda r: [r.item],
    Entity.WORK_ORDER: lambda r: [r.item, r.site, [_facts(o, _OPERATION) for o in r.operations]],
    Entity.SHIPMENT: lambda r: [
        r.customer,
        sorted((ln.sales_order, ln.order_line_no, _plain(ln.qty)) for ln in r.lines),
    ],
    Entity.INVOICE: lambda r: [r.customer, r.sales_order, r.shipment],
    Entity.BOM: lambda r: [_components(r.lines), [_facts(step, _STEP) for step in r.routing]],
    Entity.STOCK: lambda r: [r.item, r.site, r.on_hand, r.allocated],
    Entity.PURCHASE_ORDER: lambda r: [
        [r.supplier, r.supplier_name, r.site, r.ordered_on, r.status],
        [[ln.item, *_facts(ln, _PURCHASE)] for ln in r.lines],
    ],
    Entity.SALES_ORDER: lambda r: [
        r.customer,
        r.status == "cancelled",
        [[ln.item, ln.qty, *_facts(ln, _LINE)] for ln in r.lines],
    ],
}


def _components(lines: Iterable[Any]) -> Sequence[object]:
    """One row per component and its days, as a bill that names one twice means it."""
    sums: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    for line in lines:
        days = (line.valid_from or dt.date.min, line.valid_to or dt.date.max)
        sums[line.component, line.stands_in_for, *days] += line.qty_per
    return sorted((*key, _plain(qty)) for key, qty in sums.items())


# ---------------------------------------------------------------------------------------- our side
def of_crm(session: Session) -> dict[Entity, Digests]:
    """Our copy, per entity."""
    more: dict[Entity, dict[Any, list[object]]] = {
        Entity.ITEM: _item_parts(session),
        Entity.CUSTOMER: _people(session),
        Entity.WORK_CENTER: _columns(session, WorkCenter, "code", ("site_code", "calendar_code")),
        Entity.PRICE: _columns(session, PriceBreak, "erp_id", ("item_no",)),
        Entity.WORK_ORDER: _operations(session),
        Entity.SHIPMENT: _shipped(session),
        Entity.INVOICE: _billed(session),
    }
    found = {
        entity: {
            key: digest(*facts, *more[entity][key])
            for key, facts in _columns(session, model, key_name, names).items()
            if key  # a prospect has none
        }
        for entity, (model, key_name, names) in _SAME.items()
    }
    found[Entity.BOM] = _boms(session)
    found[Entity.STOCK] = {
        f"{row.item_no}@{row.site_code}": digest(
            row.item_no, row.site_code, row.on_hand, row.allocated
        )
        for row in session.scalars(sa.select(supply.Stock))
    }
    found[Entity.PURCHASE_ORDER] = _purchases(session)
    found[Entity.SALES_ORDER] = _sales(session)
    return found


def _columns(
    session: Session, model: type[Base], key: str, names: Iterable[str]
) -> dict[str, list[object]]:
    rows = session.execute(
        sa.select(getattr(model, key), *(getattr(model, name) for name in names))
    )
    return {row[0]: [getattr(fact, "value", fact) for fact in row[1:]] for row in rows}


def _item_parts(session: Session) -> dict[str, list[object]]:
    parts: dict[int, list[tuple[str, str]]] = defaultdict(list)
    query = sa.select(CustomerPart.item_id, Account.erp_id, CustomerPart.part_no).join(
        Account, Account.id == CustomerPart.account_id
    )
    for item_id, erp_id, part_no in session.execute(query.where(CustomerPart.from_erp)):
        parts[item_id].append((str(erp_id), part_no))
    rows = session.execute(sa.select(Item.id, Item.no, Item.unit))
    return {no: [unit, sorted(parts[item_id])] for item_id, no, unit in rows}


def _people(session: Session) -> dict[str | None, list[object]]:
    ship_tos: dict[int, list[Any]] = defaultdict(list)
    for site in session.scalars(sa.select(ShipTo)):
        ship_tos[site.account_id].append(_facts(site, _SHIP_TO))
    contacts: dict[int, list[Any]] = defaultdict(list)
    for person in session.scalars(sa.select(Contact).where(Contact.from_erp)):
        contacts[person.account_id].append((person.name, person.email, person.phone, person.role))
    rows = session.execute(sa.select(Account.erp_id, Account.id))
    return {erp_id: [sorted(ship_tos[key]), sorted(contacts[key])] for erp_id, key in rows}


def _operations(session: Session) -> dict[str, list[object]]:
    steps: dict[int, list[object]] = defaultdict(list)
    query = sa.select(supply.Operation).order_by(supply.Operation.step_no)
    for step in session.scalars(query):
        steps[step.work_order_id].append(_facts(step, _OPERATION))
    model = supply.WorkOrder
    rows = session.execute(sa.select(model.no, model.id, model.item_no, model.site_code))
    return {no: [item, site, steps[key]] for no, key, item, site in rows}


def _shipped(session: Session) -> dict[str, list[object]]:
    lines: dict[int, list[Any]] = defaultdict(list)
    query = (
        sa.select(
            supply.ShipmentLine.shipment_id,
            Order.erp_no,
            OrderLine.line_no,
            supply.ShipmentLine.qty,
        )
        .join(OrderLine, OrderLine.id == supply.ShipmentLine.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
    )
    for key, erp_no, line_no, qty in session.execute(query):
        lines[key].append((str(erp_no), line_no, _plain(qty)))
    rows = session.execute(
        sa.select(supply.Shipment.no, supply.Shipment.id, Account.erp_id).join(
            Account, Account.id == supply.Shipment.account_id
        )
    )
    return {no: [customer, sorted(lines[key])] for no, key, customer in rows}


def _billed(session: Session) -> dict[str, list[object]]:
    invoice = supply.Invoice
    rows = session.execute(
        sa.select(invoice.no, Account.erp_id, Order.erp_no, invoice.shipment_no)
        .join(Account, Account.id == invoice.account_id)
        .outerjoin(Order, Order.id == invoice.order_id)
    )
    return {no: [customer, order or "", shipment] for no, customer, order, shipment in rows}


def _boms(session: Session) -> Digests:
    parts: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    for row in session.scalars(sa.select(BomRow)):
        parts[row.item_no].append((*_facts(row, _COMPONENT), _plain(row.qty_per)))
    steps: dict[str, list[object]] = defaultdict(list)
    for step in session.scalars(sa.select(RoutingRow).order_by(RoutingRow.step_no)):
        steps[step.item_no].append(_facts(step, _STEP))
    return {no: digest(sorted(parts[no]), steps[no]) for no in parts.keys() | steps.keys()}


def _purchases(session: Session) -> Digests:
    heads: dict[str, list[object]] = {}
    lines: dict[str, list[object]] = defaultdict(list)
    query = sa.select(supply.PurchaseLine).order_by(supply.PurchaseLine.line_no)
    for row in session.scalars(query):
        heads[row.po_no] = [
            row.supplier_no, row.supplier_name, row.site_code, row.ordered_on, row.status
        ]  # fmt: skip
        lines[row.po_no].append([row.item_no, *_facts(row, _PURCHASE)])
    return {no: digest(head, lines[no]) for no, head in heads.items()}


def _sales(session: Session) -> Digests:
    lines: dict[int, list[object]] = defaultdict(list)
    query = sa.select(OrderLine, Item.no).join(Item, Item.id == OrderLine.item_id)
    for line, item in session.execute(query.order_by(OrderLine.line_no)):
        lines[line.order_id].append([item, line.ordered_qty, *_facts(line, _LINE)])
    rows = session.execute(
        sa.select(Order.erp_no, Order.id, Order.state, Account.erp_id)
        .join(Account, Account.id == Order.account_id)
        .where(Order.erp_no.is_not(None))
    )
    return {
        str(no): digest(customer, state is OrderState.CANCELLED, lines[key])
        for no, key, state, customer in rows
    }
