"""Short journeys: who sees what in which language, a moved promise, an ERP that is away."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser import People, approve, choose_language
from tests.journeys.company import Company

pytestmark = [pytest.mark.journey, pytest.mark.allow_hosts(["127.0.0.1"])]

STORY_PO = "4500-77812"
BUYER = "kessler@customer-20417.example"
SALES = "mei-ling.lin@formosa.example"
MANAGER = "grace.wu@formosa.example"
PLANNER = "chen.wei-ting@formosa.example"
SERVICE = "hsu.jia-hao@formosa.example"
ERP_ADMIN = "kao.ming-te@formosa.example"


def open_story(page: Page) -> str:
    """The order of the design's pictures, found by the customer's number; its number."""
    page.goto(f"/search?q={STORY_PO}")
    page.locator("#main a[href^='/orders/']").first.click()
    expect(page.locator("#title")).to_contain_text(STORY_PO)
    return page.url.rsplit("/", 1)[1]


@pytest.mark.slow
def test_each_role_finds_its_own_acts_and_each_language_its_own_words(people: People):
    planner, sales, service = (people.page(who) for who in (PLANNER, SALES, SERVICE))
    order_no = open_story(planner)
    expect(planner.get_by_role("button", name="Change promise…")).to_be_visible()
    service.goto(f"/orders/{order_no}")
    expect(service.get_by_role("button", name="Change promise…")).to_have_count(0)
    assert service.goto("/inquiries/new").status == 403
    assert sales.goto("/inquiries/new").status == 200
    buyer = people.page(BUYER)
    assert buyer.goto(f"/orders/{order_no}").status == 404
    assert buyer.goto("/portal/orders/SO-26-99999").status == 404

    sales.goto(f"/orders/{order_no}")
    for name, code, promised, late in (
        ("繁體中文", "zh-Hant", "承諾", "延"),
        ("简体中文", "zh-Hans", "承诺", "延"),
    ):
        choose_language(sales, name)
        expect(sales.locator("html")).to_have_attribute("lang", re.compile(code))
        expect(sales.locator("#title .cells")).to_contain_text(promised)
        expect(sales.locator("#title .chip")).to_contain_text(late)
        expect(sales.locator("#title .cells")).not_to_contain_text("Promised")
    choose_language(sales, "English")
    expect(sales.locator("#title .cells")).to_contain_text("Promised")


@pytest.mark.slow
def test_a_later_day_that_a_manager_approves_reaches_the_customer_by_mail_and_on_his_open_page(
    people: People,
):
    planner, buyer = people.page(PLANNER), people.page(BUYER)
    order_no = open_story(planner)
    buyer.goto(f"/portal/orders/{order_no}")

    planner.get_by_role("button", name="Change promise…").click()
    dialog = planner.get_by_role("dialog")
    field = dialog.get_by_label("New promise")
    head = dialog.get_by_role("heading", name="Change the promise of line").inner_text()
    line_no = head.split("line ")[1].split(",")[0]
    new = dt.date.fromisoformat(field.input_value()) + dt.timedelta(days=3)
    new += dt.timedelta(days={6: 2, 7: 1}.get(new.isoweekday(), 0))  # goods come on working days
    field.fill(new.isoformat())
    dialog.get_by_label("Reason").select_option(index=1)
    dialog.get_by_label("Note for colleagues").fill("Tai-Hung confirmed by telephone.")
    dialog.get_by_role("button", name="Change the promise").click()
    approve(people.page(MANAGER), f"{order_no}/{line_no}")

    word = f"{new:%a} {new.day} {new:%b}"
    expect(planner.locator("#lines tbody tr", has_text=f"{new.day} {new:%b}")).to_have_count(1)
    planner.goto(f"/orders/{order_no}?line={line_no}")
    promises = planner.locator("#why table.tight tbody tr")
    expect(promises).to_have_count(2)
    expect(promises.filter(has_text=word)).to_have_count(1)
    expect(buyer.locator("#lines")).to_contain_text(f"promised {new.day} {new:%b}")
    expect(buyer.locator("body")).not_to_contain_text("Tai-Hung")

    mail = _mail_about(buyer, order_no)
    body = mail.frame_locator("iframe").locator("body")
    expect(body).to_contain_text(word)
    expect(body).not_to_contain_text("Tai-Hung")


@pytest.mark.slow
def test_an_order_confirmed_while_the_erp_is_away_waits_and_gets_there_once_when_it_is_back(
    company: Company, people: People
):
    company.stop("twin")
    manager = people.page(MANAGER)
    quote_no = _send_a_quote(manager)
    manager.get_by_role("button", name="Accept for the customer…").click()
    dialog = manager.get_by_role("dialog")
    dialog.get_by_label("Who accepted it").fill("Jonas Kessler")
    dialog.get_by_label("Customer's order no.").fill("4500-90400")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Enter the order").click()
    order_no = _order_of(manager, quote_no)
    expect(manager.locator("#title")).to_contain_text("Not in the ERP yet")

    admin = people.page(ERP_ADMIN)
    admin.goto("/erp")
    waiting = admin.locator("#outbox tbody tr", has_text=order_no)
    expect(waiting).to_have_count(1)
    expect(waiting).to_contain_text(re.compile("next try|Parked"))
    assert company.erp_orders(order_no) == []

    company.start("twin")
    company.wait()
    waiting.get_by_role("button", name="Send again").click()
    tag = manager.locator("#title .tag", has_text=re.compile(r"^ERP \d+"))
    expect(tag).to_be_visible(timeout=60_000)
    (kept,) = company.erp_orders(order_no)
    assert f"ERP {kept['erp_id']}" == tag.inner_text()
    admin.goto("/erp")
    expect(admin.locator("#outbox tbody tr", has_text=order_no)).to_have_count(0)


def _send_a_quote(page: Page) -> str:
    """A quote typed from nothing for the customer of the story, and sent."""
    page.goto("/accounts?q=Kessler")
    page.locator("#main tbody a[href^='/accounts/']").first.click()
    page.get_by_role("link", name="New quote").click()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_label("Add an item")).to_be_visible()
    page.get_by_label("Add an item").fill("KIT-SW17-SEAL")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#lines tbody tr")).to_have_count(1)
    page.get_by_label("Quantity, line 10").fill("8")
    expect(page.locator("#l10-ready")).to_contain_text(re.compile(r"\d{1,2} \w{3}"))
    page.wait_for_timeout(800)  # the live line's answer
    page.get_by_role("button", name="Send…").click()
    page.get_by_role("dialog").get_by_role("button", name="Seal and send").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("sent")
    return page.url.split("?")[0].rsplit("/", 1)[1]


def _order_of(page: Page, quote_no: str) -> str:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state()
    if "/quotes/" in page.url:
        page.goto(f"/quotes/{quote_no}")
        page.locator("#main a[href^='/orders/SO-']").first.click()
    expect(page.locator("#title")).to_be_visible()
    return page.url.split("?")[0].rsplit("/", 1)[1]


def _mail_about(page: Page, about: str) -> Page:
    for _ in range(20):
        page.goto("/demo/mail")
        found = page.locator("#main a", has_text=about)
        if found.count():
            found.first.click()
            return page
        page.wait_for_timeout(1000)
    raise AssertionError(f"no mail about {about}")
