"""No figure from nowhere: an empty database shows none on any page, a pulled one the right ones.

What a cell may show without any order: nothing, a dash, zero, or a day that stands in its head.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from lxml import html

from b2bcrm import bootstrap
from b2bcrm.customers.models import Account
from b2bcrm.fulfillment import actions as fulfillment
from b2bcrm.fulfillment.models import OrderProjection
from b2bcrm.kernel.actor import PORTAL_ROLES, STAFF_ROLES, Role
from b2bcrm.kernel.work import Office
from b2bcrm.orders.lifecycle import Status
from b2bcrm.orders.models import Order
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.engine import FEEDS, Puller
from b2bcrm.sync.models import RunOutcome
from b2bcrm.web import access
from tests import worlds
from tests.clients import Client, client_for, make_app
from tests.conftest import NOW
from tests.factories import make_account
from tests.pulled import found_company
from tests.twins import Twin

# On PostgreSQL one role of either side: roles do not differ there.
BOTH_SIDES = (Role.ADMIN, Role.BUYER)
ROLES = [
    pytest.param(role, marks=[pytest.mark.db] if role in BOTH_SIDES else [], id=role.value)
    for role in sorted(STAFF_ROLES | PORTAL_ROLES)
]
# Cells that hold figures; a page that shows one in another way adds it here.
FIGURES = (
    "//td[contains(concat(' ', @class, ' '), ' num ')]"
    "|//*[contains(concat(' ', @class, ' '), ' value ')]"
    "|//*[contains(concat(' ', @class, ' '), ' count ')]"
    "|//*[contains(concat(' ', @class, ' '), ' cell ')]/dd"
    "|//*[contains(concat(' ', @class, ' '), ' heat ')]//td"
    "|//*[contains(concat(' ', @class, ' '), ' sub ')]"
)
# Promises of our service that stand on a page whatever there is.
TERMS = {"First answer within 24 hours, solution within 72 hours on working days."}
# Pages about the reader himself or about nothing in the database.
NOT_OF_THE_DATA = {"users.profile", "demo.catalogue", "demo.logins"}
# Pages that stand only where a mail folder is, or that are asked for with a query.
ELSEWHERE = {"demo.mail_list", "desk_planning.cell"}


def pages(app) -> Iterator[tuple[str, str]]:
    """Endpoint and address of each page that needs nothing in its address."""
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and not rule.arguments:
            yield rule.endpoint, rule.rule


def opened(app, client: Client, role: Role) -> Iterator[tuple[str, str, str]]:
    """Endpoint, address and content of each page that ``role`` may open; all of them answer."""
    broken = {}
    for endpoint, url in pages(app):
        if not access.allows(endpoint, role) or url.startswith("/api/") or endpoint in ELSEWHERE:
            continue
        answer = client.get(url)
        if answer.status_code not in {200, 303}:
            broken[url] = answer.status_code
        elif answer.mimetype == "text/html" and answer.text.strip():
            yield endpoint, url, answer.text
    assert not broken


def figures(page: str) -> list[str]:
    """What stands in the cells for figures, single blanks between words."""
    return [" ".join(cell.text_content().split()) for cell in html.fromstring(page).xpath(FIGURES)]


# --------------------------------------------------------------------------- the empty database


@contextmanager
def first_morning(server_url: str, folder: Path) -> Iterator[tuple]:
    """Our company and our plant, and nothing else."""
    with worlds.real_office(server_url, f"{folder.name}_{folder.parent.name}") as office:
        worlds.found_company(office)
        yield office, make_app(office, folder, files_dir=folder / "files")


@pytest.fixture(scope="module")
def empty(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    """What staff find before the first pull."""
    with first_morning(server_url, tmp_path_factory.mktemp("empty")) as found:
        yield found


@pytest.fixture(scope="module")
def lonely(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    """The same with one customer of whom nothing is known, for his buyers."""
    with first_morning(server_url, tmp_path_factory.mktemp("lonely")) as found:
        yield found


def account_for(office: Office, role: Role) -> Account | None:
    """Staff need none; a buyer belongs to a customer, if need be one without anything."""
    if role not in PORTAL_ROLES:
        return None
    with office.open() as work:
        found = work.session.scalars(sa.select(Account).limit(1)).first()
        return found or make_account(work)


DAY = re.compile(
    r"\b(\d{1,2} )?(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w*( \d{2,4})?|W\d+"
)


def is_figure(text: str) -> bool:
    """Whether a number other than zero stands there, days and weeks left out."""
    return bool(re.search(r"[1-9]", DAY.sub("", text)))


def wrong_figures(found: tuple, role: Role) -> dict[str, list[str]]:
    """By address, what nothing in the database can have produced."""
    office, app = found
    client = client_for(app, office, role, account_for(office, role))
    wrong = {}
    for endpoint, url, page in opened(app, client, role):
        if endpoint not in NOT_OF_THE_DATA:
            texts = [text for text in figures(page) if text not in TERMS and is_figure(text)]
            wrong |= {url: texts} if texts else {}
    return wrong


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_without_data_no_page_shows_a_figure(empty, role):
    assert not wrong_figures(empty, role)


@pytest.mark.parametrize("role", sorted(PORTAL_ROLES))
def test_without_orders_a_customers_pages_show_no_figure(lonely, role):
    assert not wrong_figures(lonely, role)


def test_the_check_sees_a_figure_and_spares_a_day():
    page = (
        "<table><tr><td class='num'>12.5 %</td><td class='num'>–</td></tr></table>"
        "<span class='value'>0</span><p class='sub'>Tue 17 Nov 2026</p>"
    )
    assert figures(page) == ["12.5 %", "–", "0", "Tue 17 Nov 2026"]
    assert [is_figure(text) for text in figures(page)] == [True, False, False, False]


# ---------------------------------------------------------------------------- the pulled database


@pytest.fixture(scope="module")
def pulled(
    server_url: str, small_world: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple]:
    """The twin's small world, as the worker's pulls bring it."""
    folder = tmp_path_factory.mktemp("pulled")
    twin = Twin(Path(shutil.copy(small_world, folder / "twin.sqlite3")), NOW)
    with worlds.real_office(server_url, f"pulled_{folder.parent.name}") as office:
        with office.open() as work:
            found_company(work)
        puller = Puller(office, twin.gateway, "main", bootstrap.APPLIERS)
        puller.ensure_feeds()
        for entity in FEEDS:
            assert puller.pull(entity) is RunOutcome.COMPLETE, entity
        with office.open() as work:
            fulfillment.project_all(work)
        app = make_app(office, folder, files_dir=folder / "files", promises=fulfillment.Promises)
        yield office, app
    twin.world.close()


@pytest.mark.parametrize("role", ROLES)
def test_each_page_opens_on_what_the_erp_sent(pulled, role):
    office, app = pulled
    client = client_for(app, office, role, account_for(office, role))
    assert len(list(opened(app, client, role))) > 5


def count(office: Office, *where: sa.ColumnElement[bool]) -> int:
    """Orders with a projection that fit, counted by the database."""
    query = (
        sa.select(sa.func.count())
        .select_from(OrderProjection)
        .join(Order, Order.id == OrderProjection.order_id)
        .where(*where)
    )
    with office.open(read_only=True) as work:
        return work.session.scalar(query) or 0


def kpis(page: str) -> dict[str, str]:
    """Label -> figure of the key figures at the head of a page."""
    found = {}
    for cell in html.fromstring(page).xpath("//*[@class='kpi']"):
        label, value = cell.xpath("span[@class='label']"), cell.xpath("span[@class='value']")
        found[label[0].text_content()] = " ".join(value[0].text_content().split())
    return found


@pytest.mark.db
def test_the_boards_figures_are_those_of_the_database(pulled):
    office, app = pulled
    page = client_for(app, office, Role.PLANNER).get("/fulfillment").text
    alive = OrderProjection.status != Status.DONE
    total, late = count(office, alive), count(office, OrderProjection.status == Status.LATE)
    risk = count(office, OrderProjection.status == Status.RISK)
    assert total > 10
    shown = kpis(page)
    assert shown["Orders late"] == f"{late} of {total}"
    assert shown["Orders at risk"] == f"{risk} of {total}"
    heading = html.fromstring(page).xpath("//h2[@id='risk-h']/span")[0].text_content()
    assert heading == str(late + risk)


@pytest.mark.db
def test_the_order_lists_figures_are_those_of_the_database(pulled):
    office, app = pulled
    client = client_for(app, office, Role.SALES)
    with office.open(read_only=True) as work:
        everything = work.session.scalar(sa.select(sa.func.count()).select_from(Order))
    alive = count(office, OrderProjection.status != Status.DONE)
    assert list_total(client.get("/orders?show=all").text) == everything
    assert list_total(client.get("/orders").text) == alive
    assert list_total(client.get("/orders?show=late").text) == count(
        office, OrderProjection.status == Status.LATE
    )


def list_total(page: str) -> int:
    """The number beside the heading of a list."""
    text = html.fromstring(page).xpath("//h2[@id='list-h']/span")[0].text_content()
    return int(text.replace(",", ""))


@pytest.mark.db
def test_the_customers_list_counts_his_orders_only(pulled):
    office, app = pulled
    with office.open(read_only=True) as work:
        query = sa.select(Order.account_id, sa.func.count()).group_by(Order.account_id)
        account_id, orders = work.session.execute(
            query.order_by(sa.func.count().desc()).limit(1)
        ).one()
        account = work.session.get_one(Account, account_id)
        work.session.expunge_all()
    client = client_for(app, office, Role.BUYER, account)
    assert list_total(client.get("/portal/orders?show=all").text) == orders


@pytest.mark.db
def test_the_monitor_counts_the_rows_that_were_read(pulled):
    office, app = pulled
    page = client_for(app, office, Role.ERP_ADMIN).get("/erp")
    assert page.status_code == 200
    assert len(html.fromstring(page.text).xpath("//tbody/tr")) >= len(Entity) - 1
