"""One order's whole life in a real browser: from the customer's inquiry to the solved case.

Web, worker and ERP twin are separate processes; the only clock that moves is the demo's.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser import People
from tests.journeys.company import Company

pytestmark = [pytest.mark.journey, pytest.mark.allow_hosts(["127.0.0.1"])]

BUYER = "kessler@customer-20417.example"
SALES = "mei-ling.lin@formosa.example"
SERVICE = "hsu.jia-hao@formosa.example"
SEES_WITHIN_MS = 3_500  # the worker projects after it has pulled; an open page asks every 2 s
OWN_PART, ITEM = "417.7644-PG1421", "PG-142-10-S2"  # made to order, never on stock
WORDS = "Gearboxes for the second press line; the drawing of the flange is attached."
PO_NO = "4500-90311"
DRAWING = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


@pytest.mark.slow
def test_an_inquiry_becomes_an_order_that_is_made_shipped_and_served(
    company: Company, people: People, tmp_path: Path
):
    buyer, sales = people.page(BUYER), people.page(SALES)
    inquiry_no = ask(buyer, company, tmp_path)
    quote_no = quote(sales, inquiry_no)
    order_no = accept(buyer, quote_no)

    erp_no = confirmed_and_known_to_the_erp(sales, company, order_no)
    accept_once_more(buyer, quote_no, order_no)
    (kept,) = company.erp_orders(order_no)
    assert kept["erp_id"] == erp_no
    assert kept["customer_po"] == PO_NO
    assert [line["item"] for line in kept["lines"]] == [ITEM]

    make_and_ship(buyer, company, order_no)
    receive(buyer, company, order_no)
    be_served(buyer, people.page(SERVICE), company, order_no)

    assert len(company.erp_orders(order_no)) == 1


def ask(buyer: Page, company: Company, folder: Path) -> str:
    """Stage 3: free text, the customer's own part number, quantity, date, a drawing."""
    drawing = folder / "flange.pdf"
    drawing.write_bytes(DRAWING)
    wanted = company.now().date() + dt.timedelta(days=45)
    buyer.get_by_role("link", name="Quotes").first.click()
    buyer.get_by_role("link", name="Ask for a quotation").first.click()
    buyer.get_by_label("Part number").first.fill(OWN_PART)
    buyer.get_by_label("Quantity").first.fill("12")
    buyer.get_by_label("Wanted").first.fill(wanted.isoformat())
    buyer.get_by_label("Subject or your reference").fill("Press line 2")
    buyer.get_by_label("In your words").fill(WORDS)
    buyer.get_by_label("Drawings and files").set_input_files(drawing)
    buyer.get_by_role("button", name="Send the inquiry").click()

    expect(buyer.get_by_text(re.compile(r"We have it: inquiry IN-"))).to_be_visible()
    expect(buyer.get_by_role("heading", level=1)).to_contain_text("Press line 2")
    expect(buyer.locator("#main")).to_contain_text(ITEM)
    expect(buyer.get_by_role("link", name="flange.pdf")).to_be_visible()
    return last_number(buyer)


def quote(sales: Page, inquiry_no: str) -> str:
    """Stage 4 on our side: nothing typed twice, figures refresh while one types, sent."""
    sales.goto("/inquiries")
    sales.get_by_role("link", name=inquiry_no).click()
    expect(sales.locator("#main")).to_contain_text("Brandt & Kessler")
    expect(sales.locator("#main")).to_contain_text(WORDS)
    expect(sales.get_by_role("link", name="flange.pdf")).to_be_visible()
    sales.get_by_role("button", name="Make a quote of it").click()

    row = sales.locator("#lines tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(ITEM)
    expect(row).to_contain_text(OWN_PART)
    qty = sales.get_by_label("Quantity, line 10")
    expect(qty).to_have_value("12")
    expect(sales.locator("#main")).to_contain_text(WORDS)
    before = sales.locator("#l10-net b").inner_text()
    ready = sales.locator("#l10-ready").inner_text()
    assert amount(before) > 0
    assert re.match(r"\d{1,2} \w{3}", ready)

    qty.fill("24")
    expect(sales.locator("#l10-net b")).not_to_have_text(before)
    dearer = sales.locator("#l10-net b").inner_text()
    assert amount(dearer) > amount(before)
    sales.get_by_label("Discount, line 10").fill("2")
    expect(sales.locator("#l10-net b")).not_to_have_text(dearer)
    net = sales.locator("#l10-net b").inner_text()
    assert amount(net) < amount(dearer)
    expect(sales.get_by_role("region", name="Totals")).to_contain_text(net)
    expect(sales.locator("#cells")).to_contain_text(net)
    expect(sales.locator("#l10-ready")).to_contain_text(re.compile(r"\d{1,2} \w{3}"))

    sales.get_by_role("button", name="Send…").click()
    dialog = sales.get_by_role("dialog")
    expect(dialog).to_contain_text("kessler@customer-20417.example")
    expect(dialog).to_contain_text(net)
    dialog.get_by_role("button", name="Seal and send").click()
    expect(sales.get_by_role("heading", level=1)).to_contain_text("sent")
    expect(sales.get_by_label("Quantity, line 10")).to_have_count(0)
    return last_number(sales)


def accept(buyer: Page, quote_no: str) -> str:
    """Stage 4 and 5 on the customer's side: mail, portal, PDF, acceptance with his number."""
    mail = open_mail(buyer, quote_no)
    expect(mail.get_by_text(quote_no).first).to_be_visible()
    buyer.goto("/portal/quotes")
    buyer.get_by_role("link", name=quote_no).first.click()
    expect(buyer.locator("#main")).to_contain_text(OWN_PART)
    href = buyer.get_by_role("link", name="PDF").get_attribute("href")
    pdf = buyer.request.get(str(href))
    assert pdf.body().startswith(b"%PDF-")
    assert quote_no in pdf.headers["content-disposition"]

    buyer.get_by_label("Your order no.").fill(PO_NO)
    buyer.get_by_role("checkbox").check()
    buyer.get_by_role("button", name="Accept and order").click()
    expect(buyer.get_by_role("heading", level=1)).to_contain_text(re.compile(r"SO-\d\d-\d+"))
    expect(buyer.locator("#main")).to_contain_text(PO_NO)
    return last_number(buyer)


def confirmed_and_known_to_the_erp(sales: Page, company: Company, order_no: str) -> str:
    """Stage 5: the rule confirms, the worker pushes, the open page shows the ERP's number."""
    sales.goto("/orders?show=all")
    expect(sales.get_by_role("link", name=order_no)).to_have_count(1)
    sales.get_by_role("link", name=order_no).click()
    tag = sales.locator("#title .tag", has_text=re.compile(r"^ERP \d+"))
    expect(tag).to_be_visible()
    expect(sales.locator("#touches")).to_contain_text("Order confirmed")
    expect(sales.locator("#lines tbody tr")).to_have_count(1)
    expect(sales.locator("#why")).to_contain_text("Promises of line 10")
    number = tag.inner_text().removeprefix("ERP ")
    (kept,) = company.erp_orders(order_no)
    assert (kept["erp_id"], kept["reference"]) == (number, f"{order_no}/0")
    return number


def accept_once_more(buyer: Page, quote_no: str, order_no: str) -> None:
    """An accepted quote cannot be accepted again; it leads to its order."""
    buyer.goto(f"/portal/quotes/{quote_no}")
    expect(buyer.get_by_role("button", name="Accept and order")).to_have_count(0)
    expect(buyer.get_by_role("link", name=f"Follow order {order_no}")).to_be_visible()


def make_and_ship(buyer: Page, company: Company, order_no: str) -> None:
    """Stages 7 and 8: days pass, pieces wander through the virtual factory, and leave."""
    buyer.goto(f"/portal/orders/{order_no}")
    floor, lines = buyer.locator("#floor"), buyer.locator("#lines")
    at: list[str] = []
    for _ in range(20):
        if "24 of 24 shipped" in lines.inner_text():
            break
        company.advance(4)
        buyer.wait_for_timeout(SEES_WITHIN_MS)
        if floor.count():
            here = floor.locator(".station.here .name").all_text_contents()
            at += [text for text in here if text not in at]
    assert len(at) >= 3, at  # the open page showed the pieces at one station after the other
    expect(lines).to_contain_text("24 of 24 shipped")
    expect(buyer.locator("#shipments")).to_contain_text("line 10: ")
    expect(buyer.locator("#shipments small .code").first).not_to_be_empty()  # the carrier's number


def receive(buyer: Page, company: Company, order_no: str) -> None:
    """Stage 8: the customer confirms; the next day the invoices are there."""
    shipments = buyer.locator("#shipments > ul > li")
    for n in range(shipments.count()):
        shipments.nth(n).get_by_role("button", name="Confirm receipt").click()
        expect(shipments.nth(n)).to_contain_text("by Jonas Kessler")
    expect(buyer.get_by_role("heading", level=1)).to_contain_text("Delivered")
    company.advance(1)  # the ERP bills in the evening of the day it ships
    buyer.reload()
    expect(buyer.locator("#invoices")).to_contain_text("EUR")
    buyer.goto("/portal/documents")
    expect(buyer.locator("#main")).to_contain_text(order_no)


def be_served(buyer: Page, service: Page, company: Company, order_no: str) -> None:
    """Stage 9: a case on the delivered line, answered by mail and on the portal, solved."""
    buyer.goto(f"/portal/orders/{order_no}")
    buyer.get_by_role("link", name="Something is wrong: open a case").click()
    buyer.get_by_label("Kind").select_option(label="Complaint")
    buyer.get_by_label("How many pieces are affected?").fill("2")
    buyer.get_by_label("In one line").fill("Noise above 3000 rpm")
    buyer.get_by_label("What happens").fill("Two of them whistle under load since Monday.")
    buyer.get_by_role("button", name="Send", exact=True).click()
    expect(buyer.get_by_text(re.compile(r"We have it: case CS-"))).to_be_visible()
    case_no = last_number(buyer)

    service.goto("/service")
    service.get_by_role("link", name=case_no).click()
    expect(service.locator("#main")).to_contain_text("Two of them whistle")
    expect(service.locator("#main")).to_contain_text(order_no)
    expect(service.locator("#clocks")).to_contain_text("First answer, 24 h")
    service.get_by_label("Reply", exact=False).first.fill("Please send us the serial numbers.")
    service.get_by_role("button", name="Send", exact=True).click()
    expect(service.locator("#conv")).to_contain_text("Please send us the serial numbers.")

    expect(buyer.locator("#conv")).to_contain_text("Please send us the serial numbers.")
    open_mail(service, case_no)

    service.goto(f"/service/{case_no}")
    service.locator("#solve").get_by_label("Cause *").select_option(index=1)
    service.get_by_label("What we did").fill("Two gearboxes were replaced.")
    service.get_by_role("button", name="Solve", exact=True).click()
    expect(service.get_by_role("heading", level=1)).to_contain_text("solved")
    buyer.goto(f"/portal/cases/{case_no}")
    expect(buyer.locator("#conv")).to_contain_text("Two gearboxes were replaced.")
    buyer.get_by_role("button", name="Yes, it is solved").click()
    expect(buyer.get_by_role("heading", level=1)).to_contain_text("closed")


def open_mail(page: Page, about: str) -> Page:
    """Wait until the worker has sent a mail about a number, and open it."""
    for _ in range(20):
        page.goto("/demo/mail")
        found = page.locator("#main a", has_text=about)
        if found.count():
            found.first.click()
            return page
        page.wait_for_timeout(1000)
    raise AssertionError(f"no mail about {about}")


def last_number(page: Page) -> str:
    """The number at the end of the page's address."""
    return page.url.split("?")[0].split("#")[0].rstrip("/").rsplit("/", 1)[1]


def amount(text: str) -> float:
    """A figure as a person reads it."""
    return float(text.replace(",", ""))
