"""Checks of what is read: keys, numbers, dates, texts, and whether the records fit together."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import (
    Act,
    Entity,
    Invoice,
    Record,
    SalesOrder,
    Shipment,
)
from connectors.erp.contract.findings import Failed, Skipped
from connectors.erp.contract.ground import Ground, names, some

PLACES = 9  # more decimals than this come from a floating point, not from a ledger
EARLIEST, LATEST = dt.date(1990, 1, 1), dt.date(2100, 1, 1)
STAND_INS = frozenset({"none", "null", "nil", "nan", "0000-00-00", "undefined"})
DAMAGED = re.compile("\ufffd|[\u00c2\u00c3][\u0080-\u00bf]|&(?:amp|lt|gt|quot|#\\d+);|[\x00-\x08]")
HAN = re.compile("[\u4e00-\u9fff]")
TOLERATED = 0.01  # share of references to records that the ERP no longer lists

Reference = Callable[[Any], Iterator[str]]


def _links() -> tuple[tuple[Entity, Entity, Reference], ...]:
    e = Entity
    return (
        (e.BOM, e.ITEM, lambda r: iter((r.item, *(x.component for x in r.lines)))),
        (e.BOM, e.WORK_CENTER, lambda r: (x.work_center for x in r.routing)),
        (e.STOCK, e.ITEM, lambda r: iter((r.item,))),
        (e.PRICE, e.ITEM, lambda r: iter((r.item,))),
        (e.PURCHASE_ORDER, e.ITEM, lambda r: (x.item for x in r.lines)),
        (e.WORK_ORDER, e.ITEM, lambda r: iter((r.item,))),
        (e.WORK_ORDER, e.WORK_CENTER, lambda r: (x.work_center for x in r.operations)),
        (e.SALES_ORDER, e.CUSTOMER, lambda r: iter((r.customer,))),
        (e.SALES_ORDER, e.ITEM, lambda r: (x.item for x in r.lines)),
        (e.SHIPMENT, e.CUSTOMER, lambda r: iter((r.customer,))),
        (e.SHIPMENT, e.SALES_ORDER, lambda r: (x.sales_order for x in r.lines)),
        (e.INVOICE, e.CUSTOMER, lambda r: iter((r.customer,))),
        (e.INVOICE, e.SALES_ORDER, lambda r: iter((r.sales_order,))),
        (e.INVOICE, e.SHIPMENT, lambda r: iter((r.shipment,))),
    )


def identifiers(ground: Ground) -> Message:
    """Keys are text as the ERP writes it: leading zeros kept, nothing trimmed or empty."""
    total = zeros = 0
    for listing in ground.listings():
        wrong = [r.erp_id for r in listing.records if not _is_key(r.erp_id)]
        if wrong:
            raise Failed(
                Message("%(entity)s: %(gap)s", entity=listing.entity.value,
                        gap=Message("keys that are empty or padded: %(keys)s",
                                    keys=names(map(repr, wrong))))
            )  # fmt: skip
        padded = [r.erp_id for r in listing.records if r.erp_id.startswith("0")]
        if ground.info.can(listing.entity, Act.GET):
            for key in some(padded):
                found = ground.one(listing.entity, key)
                if found is None or found.erp_id != key:
                    raise Failed(Message("%(key)s is not found with its zeros.", key=key))
        total, zeros = total + len(listing.records), zeros + len(padded)
    return Message(
        "%(zeros)s of %(count)s keys begin with a zero and keep it.", zeros=zeros, count=total
    )


def _is_key(key: object) -> bool:
    return isinstance(key, str) and bool(key) and key == key.strip()


def numbers(ground: Ground) -> Message:
    """Quantities and amounts are exact decimals, not the rest of a floating point."""
    count = most = 0
    for path, value in _values(ground):
        if isinstance(value, float):
            raise Failed(
                Message("%(path)s is a floating point: %(value)s", path=path, value=str(value))
            )
        if isinstance(value, Decimal):
            exponent = value.as_tuple().exponent
            if not isinstance(exponent, int) or -exponent > PLACES:
                raise Failed(
                    Message("%(path)s is not exact: %(value)s", path=path, value=str(value))
                )
            count, most = count + 1, max(most, -exponent)
    return Message("%(count)s numbers, up to %(places)s decimals.", count=count, places=most)


def dates(ground: Ground) -> Message:
    """A missing date or text is missing, not 1899, 1970 or the word 'null'."""
    count = empty = 0
    for path, value in _values(ground):
        if value is None:
            empty += 1
        if isinstance(value, dt.date):
            count += 1
            day = value.date() if isinstance(value, dt.datetime) else value
            if not EARLIEST <= day <= LATEST or day == dt.date(1970, 1, 1):
                raise Failed(Message("%(path)s is %(value)s.", path=path, value=str(value)))
            if isinstance(value, dt.datetime) and value.tzinfo is None:
                raise Failed(
                    Message("%(path)s has no time zone: %(value)s", path=path, value=str(value))
                )
        if isinstance(value, str) and value.strip().lower() in STAND_INS:
            raise Failed(Message("%(path)s is the text '%(value)s'.", path=path, value=value))
    return Message("%(count)s dates; %(empty)s values are missing.", count=count, empty=empty)


def texts(ground: Ground) -> Message:
    """Texts arrive undamaged: no broken characters, no doubled escapes."""
    count = chinese = 0
    trimmed: dict[str, int] = defaultdict(int)
    for path, value in _values(ground):
        if isinstance(value, str) and value:
            if found := DAMAGED.search(value):
                raise Failed(
                    Message("%(path)s holds %(found)s in: %(value)s", path=path,
                            found=repr(found[0]), value=value[:80])
                )  # fmt: skip
            count, chinese = count + 1, chinese + bool(HAN.search(value))
            trimmed[path] += value != value.strip()
    odd = [f"{path} ({n})" for path, n in trimmed.items() if n]
    if odd:
        ground.oddities.append(
            Message("Texts come with blanks around them: %(names)s.", names=names(odd))
        )
    return Message(
        "%(count)s texts, %(chinese)s of them with Chinese.", count=count, chinese=chinese
    )


def parents(ground: Ground) -> Message:
    """What a record refers to exists: customers of orders, items of lines, orders of shipments."""
    checked = lost = 0
    odd: list[str] = []
    for child, parent, refer in _links():
        if not (ground.info.can(child, Act.LIST) and ground.info.can(parent, Act.LIST)):
            continue
        known = ground.listing(parent)
        if not known.whole:
            continue
        there = known.by_id().keys()
        for record in ground.listing(child).records:
            for key in refer(record):
                checked += bool(key)
                if key and key not in there:
                    lost += 1
                    odd.append(f"{child.value} {record.erp_id} > {parent.value} {key}")
    if not checked:
        raise Skipped(Message("No two lists refer to each other."))
    if lost > TOLERATED * checked:
        raise Failed(
            Message("%(lost)s of %(count)s are not listed: %(names)s", lost=lost, count=checked,
                    names=names(odd))
        )  # fmt: skip
    if odd:
        ground.oddities.append(
            Message("Refer to records that are not listed: %(names)s.", names=names(odd))
        )
    return Message("%(count)s references looked at.", count=checked)


def totals(ground: Ground) -> Message:
    """Figures agree with each other: open with total amounts, shipped with shipments."""
    records = [record for listing in ground.listings() for record in listing.records]
    invoices = [r for r in records if isinstance(r, Invoice)]
    orders = [r for r in records if isinstance(r, SalesOrder)]
    wrong = [i.erp_id for i in invoices if abs(i.open_amount) > abs(i.total)]
    if wrong:
        raise Failed(Message("More is open than was invoiced: %(keys)s", keys=names(wrong)))
    sent = _shipped(records)
    compared = 0
    for order in orders:
        for line in order.lines:
            left = sent.get((order.erp_id, line.line_no))
            if left is not None and ground.settled(order):
                compared += 1
                if left > line.shipped_qty:
                    wrong.append(f"{order.erp_id}/{line.line_no}")
    if wrong:
        raise Failed(
            Message("Shipments add up to more than the line says: %(keys)s", keys=names(wrong))
        )
    if not invoices and not compared:
        raise Skipped(Message("Neither invoices nor shipments are listed."))
    return Message(
        "%(invoices)s invoices, %(lines)s shipped lines.", invoices=len(invoices), lines=compared
    )


def _shipped(records: list[Record]) -> Mapping[tuple[str, int], Decimal]:
    sent: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for shipment in records:
        if isinstance(shipment, Shipment) and not shipment.deleted:
            for line in shipment.lines:
                sent[line.sales_order, line.order_line_no] += line.qty
    return sent


def _values(ground: Ground) -> Iterator[tuple[str, Any]]:
    """Every value of every record that was listed, with the path of its field."""
    for listing in ground.listings():
        for record in listing.records:
            yield from _inside(listing.entity.value, record)


def _inside(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _inside(f"{path}.{field.name}", getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _inside(path, part)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _inside(path, part)
    else:
        yield path, value
