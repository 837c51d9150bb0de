"""Valid rows with one call each; pass what the test is about, the rest is filled in.

``from tests.factories import make_account``. All of them add to the Work's session and flush.
"""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any

from b2bcrm.catalog.models import Item, ItemKind, PriceBreak
from b2bcrm.customers.models import Account, Contact, ErpCustomer, ShipTo
from b2bcrm.fulfillment.models import SurenessCurve, SurenessRun
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.organization import CalendarRow, Company, ExchangeRate, Site
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import ErpSync, OrderState
from b2bcrm.orders.models import Order, OrderLine, Origin

_n = itertools.count(1)
D = Decimal


def _add(work: Work, row: Any) -> Any:
    work.session.add(row)
    work.session.flush()
    return row


def make_company(work: Work, **facts: Any) -> Company:
    """Formosa Precision Drives in Taichung, once per database."""
    code = facts.get("code", "FPD")
    found = work.session.query(Company).filter_by(code=code).one_or_none()
    if found is not None:
        return found
    values = {
        "code": code,
        "name": "Formosa Precision Drives Co., Ltd.",
        "name_zh_hant": "福爾摩沙精密傳動股份有限公司",
        "name_zh_hans": "福尔摩沙精密传动股份有限公司",
        "address": "No. 88, Gongyequ 27th Rd., Taichung, Taiwan",
        "phone": "+886 4 2358 0000",
        "email": "sales@formosa.example",
        "tax_id": "12345675",
        "currency": "TWD",
        "erp_company": "FPD",
    }
    for code_, rate in (("TWD", "1"), ("EUR", "36.10"), ("USD", "32.40"), ("CNY", "4.47")):
        work.session.merge(
            ExchangeRate(currency=code_, valid_from=dt.date(2025, 1, 1), rate=D(rate))
        )
    work.session.merge(
        CalendarRow(
            code="TW",
            zone="Asia/Taipei",
            weekdays=[0, 1, 2, 3, 4],
            holidays=["2027-01-01"],
            extra_days=[],
            hours=[["08:30", "12:00"], ["13:00", "17:30"]],
        )
    )
    return _add(work, Company(**(values | facts)))


def make_site(work: Work, **facts: Any) -> Site:
    """The Taichung plant, once per database."""
    code = facts.get("code", "TC")
    found = work.session.query(Site).filter_by(code=code).one_or_none()
    if found is not None:
        return found
    values = {
        "company_id": make_company(work).id,
        "code": code,
        "name": "Taichung",
        "country": "TW",
        "zone": "Asia/Taipei",
        "calendar_code": "TW",
    }
    return _add(work, Site(**(values | facts)))


def make_account(work: Work, **facts: Any) -> Account:
    """A German customer known to the ERP, with one ship-to and one contact."""
    n = next(_n)
    company = make_company(work)
    values = {
        "company_id": company.id,
        "erp_id": f"C{n:05d}",
        "name": f"Brandt & Kessler Maschinenbau {n} GmbH",
        "short_name": f"Brandt {n}",
        "country": "DE",
        "city": "Augsburg",
        "language": "en",
        "currency": "EUR",
        "price_list": "EXPORT",
        "payment_terms": "30 days net",
        "incoterm": "DAP",
        "incoterm_place": "Augsburg",
        "customer_class": "B",
        "credit_limit": D(500000),
        "sales_rep": "Mei-Ling Lin",
    }
    account = Account(**(values | facts))
    account.ship_tos = [
        ShipTo(code="S1", name="Werk 1", city="Augsburg", country="DE", transit_days=4)
    ]
    account.contacts = [Contact(name="Jonas Kessler", email=f"jonas{n}@brandt.example")]
    _add(work, account)
    if account.erp_id is not None:
        make_erp_customer(work, account, main=True)
    return account


def make_erp_customer(work: Work, account: Account, **facts: Any) -> ErpCustomer:
    """What an account is in the main ERP, with the account's number and credit."""
    values = {
        "connection_code": "main",
        "erp_id": account.erp_id,
        "company_id": account.company_id,
        "account_id": account.id,
        "home_id": account.id,
        "main": False,
        "name": account.name,
        "currency": account.currency,
        "credit_limit": account.credit_limit,
        "credit_used": account.credit_used,
        "overdue_amount": account.overdue_amount,
        "credit_hold": account.credit_hold,
    }
    return _add(work, ErpCustomer(**(values | facts)))


def make_item(work: Work, **facts: Any) -> Item:
    """A sellable planetary gearbox."""
    n = next(_n)
    values = {
        "no": f"PG-{n:04d}",
        "name": f"Planetary gearbox {n}",
        "name_zh_hant": f"行星減速機 {n}",
        "name_zh_hans": f"行星减速机 {n}",
        "family": "PG",
        "kind": ItemKind.MAKE,
        "unit": "pcs",
        "lead_time_days": 20,
        "standard_cost": D(400),
        "cost_currency": "TWD",
        "sellable": True,
    }
    return _add(work, Item(**(values | facts)))


def make_sureness(work: Work, *, incoterm: str, shares: list[list[float]]) -> None:
    """What the night learned of family PG, delivered in parts: weekdays late and their shares."""
    _add(
        work,
        SurenessRun(
            made_on=work.today, made_at=work.tick, levels={"PG": [0.5, 0.8, 0.95]}, report={}
        ),
    )
    _add(work, SurenessCurve(path=f"{incoterm}+/PG", orders=312, shares=shares))


def make_price(work: Work, item: Item, **facts: Any) -> PriceBreak:
    """A price break of ``item``: 20.00 EUR from one piece on, unless told otherwise."""
    n = next(_n)
    values = {
        "erp_id": f"P{n}",
        "price_list": "EXPORT",
        "item_no": item.no,
        "currency": "EUR",
        "min_qty": D(1),
        "unit_price": D(20),
        "valid_from": dt.date(2025, 1, 1),
    }
    return _add(work, PriceBreak(**(values | facts)))


def make_order(work: Work, account: Account | None = None, **facts: Any) -> Order:
    """A confirmed order with one line of ten pieces; ``lines`` may give OrderLine rows."""
    n = next(_n)
    account = account or make_account(work)
    site = make_site(work)
    values = {
        "no": f"SO-26-{90000 + n}",
        "company_id": site.company_id,
        "site_id": site.id,
        "account_id": account.id,
        "origin": Origin.STAFF,
        "state": OrderState.CONFIRMED,
        "customer_po": f"PO-{n}",
        "currency": account.currency,
        "rate": D("36.10"),
        "ordered_on": dt.date(2026, 11, 2),
        "confirmed_at": work.now,
        "erp_sync": ErpSync.ACCEPTED,
        "erp_no": f"E{n:06d}",
        "erp_since": work.now,
    }
    lines = facts.pop("lines", None)
    values |= facts
    if values["erp_no"] is not None:
        values.setdefault("erp_connection", "main")
    order = Order(**values)
    order.lines = lines if lines is not None else [make_line(work)]
    order.add_up()
    return _add(work, order)


def make_line(work: Work, item: Item | None = None, **facts: Any) -> OrderLine:
    """An order line (not yet attached to an order): ten pieces, promised for 15 December."""
    item = item or make_item(work)
    values = {
        "line_no": 10,
        "item_id": item.id,
        "description": item.name,
        "unit": item.unit,
        "ordered_qty": D(10),
        "unit_price": D(20),
        "requested_on": dt.date(2026, 12, 11),
        "first_promised_on": dt.date(2026, 12, 15),
        "promised_on": dt.date(2026, 12, 15),
    }
    return OrderLine(**(values | facts))


def staff(role: Role = Role.SALES, **facts: Any) -> Actor:
    """A signed-in staff member (no user row; see make_user for one that can sign in)."""
    return Actor(**({"name": "Mei-Ling Lin", "role": role} | facts))


def buyer(account: Account, **facts: Any) -> Actor:
    """A portal user of ``account``."""
    values = {"name": "Jonas Kessler", "role": Role.BUYER, "account_id": account.id}
    return Actor(**(values | facts))
