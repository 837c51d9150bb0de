"""An order that somebody typed in the ERP lives here like any other, and a late supplier shows.

The ERP's user works at a terminal of his own: a second connection to the twin's file, while the
twin serves from it.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from contextlib import closing
from decimal import Decimal

import pytest
from playwright.sync_api import Locator, Page, expect

from b2bcrm.ports.erp import OrderDraft, OrderDraftLine
from tests.journeys.browser import People, approve
from tests.journeys.company import Company

pytestmark = [pytest.mark.journey, pytest.mark.allow_hosts(["127.0.0.1"])]

CUSTOMER, ITEM, CUSTOMER_PO = "20417", "SW-17-100-U", "TEL-4471"
BUYER = "kessler@customer-20417.example"
PLANNER = "chen.wei-ting@formosa.example"
MANAGER = "grace.wu@formosa.example"
ERP_ADMIN = "kao.ming-te@formosa.example"


@pytest.mark.slow
def test_an_order_typed_in_the_erp_turns_late_with_its_cause_and_what_mends_it_is_proposed(
    company: Company, people: People
):
    erp_no, promised = type_order(company)
    planner = people.page(PLANNER)
    pull(people.page(ERP_ADMIN))

    row = planner.locator("#main tbody tr")
    reload_until(planner, f"/orders?origin=erp&q={CUSTOMER_PO}", row)
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Brandt & Kessler")
    row.locator("a.code").first.click()
    title = planner.locator("#title")
    expect(title).to_contain_text(f"ERP {erp_no}")
    expect(title).to_contain_text("Typed in the ERP")
    first_word = said(promised)
    expect(planner.locator("#why")).to_contain_text("Promises of line 10")
    expect(planner.locator("#why tbody tr")).to_contain_text(first_word)
    expect(planner.locator("#why tbody tr")).to_contain_text("first seen")
    order_no = planner.url.rsplit("/", 1)[1]

    buyer = people.page(BUYER)
    buyer.goto("/portal/orders")
    buyer.get_by_role("link", name=order_no).click()
    expect(buyer.locator("#title")).to_contain_text(CUSTOMER_PO)
    expect(buyer.locator("#title")).to_contain_text(first_word)

    po_no = make_supplier_late(company, erp_no, promised + dt.timedelta(days=21))
    pull(people.page(ERP_ADMIN))
    expect(title.locator(".chip")).to_contain_text("Late")  # the page that was open all the time
    expect(planner.locator("#why .why")).to_contain_text(po_no)
    expect(planner.locator("#why tbody tr")).to_have_count(1)  # nobody moved the promise
    expect(planner.locator("#why tbody tr")).to_contain_text(first_word)
    expect(buyer.locator("#title .chip").first).to_contain_text("Comes later")
    expect(buyer.locator("body")).not_to_contain_text(po_no)  # a supplier's number is ours alone

    planner.goto("/fulfillment")
    late = planner.locator("#risk tbody tr", has_text=order_no)
    expect(late).to_contain_text("Material")
    expect(late).to_contain_text(po_no)
    expect(late.locator("td").last).to_contain_text(re.compile(f"(Have|Ask for) {po_no}"))

    propose_what_mends_it(planner, order_no, po_no)
    arrives = propose_another_slip(planner, order_no, po_no, promised + dt.timedelta(days=35))
    tell_the_customer(planner, people.page(MANAGER), order_no)
    buyer.reload()
    expect(buyer.locator("#title")).to_contain_text(arrives)


def propose_what_mends_it(planner: Page, order_no: str, po_no: str) -> None:
    """From the late order to a purchase order that comes earlier, asked of the ERP's people."""
    planner.goto(f"/orders/{order_no}")
    planner.get_by_role("link", name="Try it as a what-if").click()
    way = planner.locator("#ways tbody tr", has_text=po_no)
    way.get_by_role("link", name="Try it").click()
    moved = planner.locator("#moves tbody tr", has_text=order_no)
    expect(moved).to_have_attribute("data-status", "ok")
    propose(planner, "Expedite")
    task = planner.locator("#tasks tbody tr")
    expect(task).to_contain_text(f"{po_no} comes on")
    task.get_by_role("button", name="Arranged in the ERP").click()
    expect(planner.locator("#tasks .chip")).to_contain_text("arranged in the ERP")


def propose_another_slip(planner: Page, order_no: str, po_no: str, on: dt.date) -> str:
    """The supplier asks for more time: who would slip, and by when he would have his goods."""
    planner.goto(f"/fulfillment/impact?kind=purchase_order&no={po_no}")
    expect(planner.locator("#lines tbody")).to_contain_text(order_no)
    planner.get_by_role("link", name="Try another day").click()
    dialog = planner.locator("#add-move")
    dialog.get_by_label("Comes on").fill(on.isoformat())
    dialog.get_by_role("button", name="Try it").click()
    expect(planner.locator("#bill tbody")).to_contain_text(order_no)
    propose(planner, "One more slip")
    notice = planner.locator("#notices tbody tr", has_text=order_no)
    return notice.locator(".after").inner_text()


def propose(planner: Page, name: str) -> None:
    """Give the scenario a name and ask for it."""
    planner.get_by_role("button", name="Propose…").click()
    dialog = planner.locator("#propose")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("button", name="Propose", exact=True).click()
    expect(planner.get_by_role("heading", name=name)).to_be_visible()


def tell_the_customer(planner: Page, manager: Page, order_no: str) -> None:
    """The drafted notice becomes a promise, once a manager agrees, and the customer's mail."""
    notice = planner.locator("#notices tbody tr", has_text=order_no)
    notice.get_by_role("button", name="Change promise…").click()
    form = planner.locator("#act form")
    form.get_by_label("Reason").select_option("material")
    form.get_by_role("button", name="Change the promise").click()
    expect(planner.locator("body")).to_contain_text("A sales manager is asked")
    approve(manager, f"{order_no}/10")
    planner.reload()
    expect(planner.locator("#notices tbody tr", has_text=order_no)).to_contain_text(
        "now promised for"
    )


def type_order(company: Company) -> tuple[str, dt.date]:
    """The ERP's clerk types an order that came by telephone; its number and promised date."""
    today = company.now().date()
    promised = today + dt.timedelta(days=42)
    draft = OrderDraft(
        reference="",
        customer=CUSTOMER,
        customer_po=CUSTOMER_PO,
        ordered_on=today,
        currency="EUR",
        ship_to="01",
        incoterm="DAP",
        incoterm_place="Augsburg",
        payment_terms="NET30",
        site="TC1",
        note="By telephone.",
        lines=(
            OrderDraftLine(
                line_no=10,
                item=ITEM,
                qty=Decimal(30),
                uom="PCS",
                unit_price=Decimal("455.00"),
                discount_pct=Decimal(0),
                requested_on=promised - dt.timedelta(days=7),
                promised_on=promised,
            ),
        ),
    )
    with closing(company.world()) as world:
        return world.enter_order(draft).erp_id, promised


def make_supplier_late(company: Company, erp_no: str, new_date: dt.date) -> str:
    """The supplier of one of the order's parts gives a new date; his purchase order."""
    with closing(company.world()) as world:
        query = "SELECT erp_id, body FROM purchase_order WHERE root = ? ORDER BY erp_id"
        po_no, body = world._store.db.execute(query, (erp_no,)).fetchone()
        world.slip_purchase_order(po_no, json.loads(body)["lines"][0]["line_no"], new_date)
    return str(po_no)


def pull(page: Page) -> None:
    """The ERP's administrator asks for everything now."""
    page.goto("/erp")
    page.get_by_role("button", name="Pull all now").click()
    expect(page.get_by_role("heading", name="ERP sync")).to_be_visible()


def reload_until(page: Page, path: str, found: Locator) -> None:
    """Look at a page that does not refresh by itself until what is expected is there."""
    for _ in range(20):
        page.goto(path)
        if found.count():
            return
        page.wait_for_timeout(1000)


def said(day: dt.date) -> str:
    """A date as pages write it, without the year."""
    return f"{day:%a} {day.day} {day:%b}"
