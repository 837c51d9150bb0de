"""Formosa Precision Drives as its ERP knows it before the first order: master data, pure, seeded.

``found(size, seed)`` gives companies, sites, calendars, parts, customers; ``master_records``
writes them as bodies of the twin's tables. What happens with them is ``engine``'s.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from b2bcrm.ports.erp import Entity
from connectors.erp.twin.calendars import WORK_DAYS, WorkDays, shift
from connectors.erp.twin.parts import CENTERS, SITE_CALENDAR, SITE_COMPANY, Part
from connectors.erp.twin.people import RATES, Buyer, customers
from connectors.erp.twin.prices import LISTS, breaks, rounded, sellable
from connectors.erp.twin.products import catalogue
from connectors.erp.twin.routing import work_days

Size = Literal["small", "demo", "large"]
Body = dict[str, Any]

COMPANIES = (
    {"code": "FPD-TW", "name": "Formosa Precision Drives Co., Ltd.",
     "name_zh_hant": "福爾摩沙精密傳動股份有限公司", "name_zh_hans": "福尔摩沙精密传动股份有限公司",
     "currency": "TWD", "country": "TW", "tax_id": "28471936",
     "address": "No. 168, Keya Road, Daya District, Taichung 428, Taiwan",
     "phone": "+886-4-2565-0216", "email": "sales@formosa.example"},
    {"code": "FPD-CN", "name": "Formosa Precision Drives (Suzhou) Co., Ltd.",
     "name_zh_hant": "福爾摩沙精密傳動（蘇州）有限公司",
     "name_zh_hans": "福尔摩沙精密传动（苏州）有限公司",
     "currency": "CNY", "country": "CN", "tax_id": "91320594MA1X2FPD8K",
     "address": "No. 88, Suhong West Road, Industrial Park, Suzhou 215021, China",
     "phone": "+86-512-6288-0216", "email": "suzhou@formosa.example"},
)  # fmt: skip
SITES = (
    {"code": "TC1", "company": "FPD-TW", "name": "Taichung plant", "country": "TW",
     "zone": "Asia/Taipei", "calendar": "TW"},
    {"code": "SZ1", "company": "FPD-CN", "name": "Suzhou plant", "country": "CN",
     "zone": "Asia/Shanghai", "calendar": "CN"},
)  # fmt: skip
HOME_SITE = {"FPD-TW": "TC1", "FPD-CN": "SZ1"}
_CUSTOMERS = {"small": 12, "demo": 60, "large": 60}
_VOLUME = {"small": 1, "demo": 2, "large": 24}  # lots of stocked parts grow with the business
_MACHINES = {"small": 1, "demo": 1, "large": 12}  # of each machine, the same
_BUFFER = 3  # working days between the last operation and the day of shipping


@dataclass(frozen=True)
class Firm:
    """All master data; ``buyers`` by customer number, ``parts`` by item number."""

    size: Size
    seed: int
    parts: dict[str, Part]
    buyers: dict[str, Buyer]
    part_nos: dict[str, dict[str, str]] = field(default_factory=dict)

    def days(self, site: str) -> WorkDays:
        """Working days of a site."""
        return WORK_DAYS[SITE_CALENDAR[site]]


def found(size: Size, seed: int) -> Firm:
    """The firm at one of its three sizes; ``large`` is ``demo`` with more orders and machines."""
    parts = catalogue(full=size != "small")
    for part in parts.values():
        if part.kind == "make":
            part.lead = _lead(parts, part)
        if part.stocked:
            part.lot *= _VOLUME[size]
            part.level = part.lot * (6 + part.lead) // 6
    buyers = {buyer.no: buyer for buyer in customers(_CUSTOMERS[size], seed)}
    rng = random.Random(f"{seed}/part numbers")
    numbers: dict[str, dict[str, str]] = {}
    goods = [p.no for p in sellable(parts.values()) if p.kind != "service"]
    for buyer in buyers.values():
        if buyer.rank == "C":
            continue
        for no in rng.sample(goods, min(len(goods), 14)):
            code = no.replace("-", "")[:6]
            numbers.setdefault(no, {})[buyer.no] = (
                f"{buyer.no[-3:]}.{rng.randrange(1000, 9999)}-{code}"
            )
    return Firm(size, seed, parts, buyers, numbers)


def _lead(parts: dict[str, Part], part: Part) -> int:
    """Working days from nothing to ``lot`` of a part: blanks, components, own operations."""
    if part.kind != "make":
        return 1 if part.stocked else part.lead + 1
    inner = max(
        (0 if parts[use.part].stocked else _lead(parts, parts[use.part]) for use in part.uses),
        default=0,
    )
    return inner + work_days(part, part.lot) + (_BUFFER if part.sellable else 1)


def change_day(today: dt.date) -> str:
    """The day of the engineering change: the first of the month after the next."""
    months = today.month + 1
    return dt.date(today.year + months // 12, months % 12 + 1, 1).isoformat()


def master_records(firm: Firm, start: str, change: str) -> Iterator[tuple[Entity, str, str, Body]]:
    """(entity, erp_id, company, body) of all master data but stock and credit used."""
    for center in CENTERS:
        yield Entity.WORK_CENTER, center.code, SITE_COMPANY[center.site], {
            "name": center.name, "site": center.site, "station": center.station,
            "hours_per_day": str(center.hours * center.machines * _MACHINES[firm.size]),
            "calendar": SITE_CALENDAR[center.site],
        }  # fmt: skip
    for part in firm.parts.values():
        yield Entity.ITEM, part.no, SITE_COMPANY[part.site], _item(firm, part)
        if part.uses or part.steps:
            yield Entity.BOM, part.no, SITE_COMPANY[part.site], _bom(firm, part, change)
        if part.sellable:
            yield from _prices(part, start)
    for buyer in firm.buyers.values():
        yield Entity.CUSTOMER, buyer.no, buyer.company, _customer(buyer)


def _item(firm: Firm, part: Part) -> Body:
    return {
        "name": part.names[0], "name_zh_hant": part.names[1], "name_zh_hans": part.names[2],
        "spec": part.spec, "family": part.family, "kind": part.kind, "base_uom": part.uom,
        "lead_time_days": part.lead, "lot_size": part.lot,
        "standard_cost": str(part.cost.quantize(Decimal("0.01"))), "cost_currency": "TWD",
        "weight_kg": str(part.weight.quantize(Decimal("0.001"))), "sellable": part.sellable,
        "active": True, "customer_part_nos": firm.part_nos.get(part.no, {}),
    }  # fmt: skip


def _bom(firm: Firm, part: Part, change: str) -> Body:
    return {
        "item": part.no,
        "lines": [
            {"component": use.part, "qty_per": str(use.per), "scrap_pct": str(use.scrap),
             "uom": firm.parts[use.part].uom,
             "valid_from": change if use.when == "after" else None,
             "valid_to": shift(change, -1) if use.when == "before" else None,
             "stands_in_for": use.stands_in_for}
            for use in part.uses
        ],
        "routing": [
            {"step_no": 10 * n, "name": step.name, "work_center": step.center,
             "setup_hours": str(step.setup), "unit_hours": str(step.unit)}
            for n, step in enumerate(part.steps, 1)
        ],
    }  # fmt: skip


def _prices(part: Part, start: str) -> Iterator[tuple[Entity, str, str, Body]]:
    for price_list in LISTS:
        for currency in RATES:
            for n, price in breaks(part, price_list, currency):
                yield Entity.PRICE, f"{price_list}/{currency}/{part.no}/{n}", "", {
                    "price_list": price_list, "item": part.no, "currency": currency, "min_qty": n,
                    "unit_price": str(price), "valid_from": shift(start, -30), "valid_to": None,
                }  # fmt: skip


def _customer(buyer: Buyer) -> Body:
    limit = {"A": 500_000, "B": 250_000, "C": 100_000}[buyer.rank] * RATES["EUR"]
    bill = {"kind": "bill_to", "code": "00", "name": buyer.name, "street": buyer.street,
            "city": buyer.city, "country": buyer.country, "receiving_days": "1111100",
            "transit_days": 0}  # fmt: skip
    return {
        "name": buyer.name, "short_name": buyer.short, "tax_id": buyer.tax_id,
        "country": buyer.country, "language": buyer.language, "currency": buyer.currency,
        "price_list": buyer.price_list, "payment_terms": buyer.terms, "incoterm": buyer.incoterm,
        "incoterm_place": buyer.place, "customer_class": buyer.rank,
        "credit_limit": str(rounded(limit / RATES[buyer.currency], "TWD")), "credit_used": "0",
        "overdue_amount": "0", "credit_hold": buyer.hold, "partial_delivery": buyer.partial,
        "sales_rep": buyer.rep,
        "addresses": [bill] + [
            {"kind": "ship_to", "code": site.code, "name": site.name, "street": site.street,
             "city": site.city, "country": buyer.country, "receiving_days": site.days,
             "transit_days": site.transit}
            for site in buyer.sites
        ],
        "contacts": [
            {"name": p.name, "email": p.email, "phone": p.phone, "role": p.role}
            for p in buyer.people
        ],
    }  # fmt: skip
