"""The Dolibarr profile against exchanges recorded from a running system, and against the twin.

Recordings and WSDLs lie outside of the project (ERP_SAMPLES_DIR); without them this is skipped.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import shutil
from decimal import Decimal

import pytest
import requests
from lxml import etree

from b2bcrm.ports.erp import (
    Act,
    Connection,
    Entity,
    ErpAuth,
    ErpCannot,
    ErpConfig,
    ErpOutcomeUnknown,
    ErpRefused,
    ErpUnavailable,
)
from connectors.erp import wsdls
from connectors.erp.contract.findings import Outcome
from connectors.erp.contract.suite import run
from connectors.erp.gateway import connect
from connectors.erp.profile import load
from connectors.erp.twin.world import TwinWorld
from tests.faces import ABSENT, SAMPLES, TODAY, FaceTwin

from .conftest import BASE, Canned
from .test_bad_answers import DRAFT

RECORDED = SAMPLES / "dolibarr" / "envelopes"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason=ABSENT)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(SAMPLES / "dolibarr" / "wsdl", folder / "dolibarr")
    return str(folder)


@pytest.fixture
def dolibarr(site):
    """A gateway whose operations are answered by recordings: operation -> name of the exchange."""

    def build(**answers):
        def answer(request):
            operation = etree.QName(etree.fromstring(request.body)[0][0]).localname
            name = answers[operation]
            for suffix, kind in (
                (".response.xml", "text/xml; charset=UTF-8"),
                (".response.txt", "text/html"),
            ):
                path = RECORDED / f"{operation}.{name}{suffix}"
                if path.exists():
                    status = re.search(r"http-(\d+)", name)
                    return (int(status[1]) if status else 200), kind, path.read_bytes()
            raise LookupError(name)

        session = requests.Session()
        adapter = Canned(answer)
        session.mount(BASE, adapter)
        connection = Connection(
            "main", "dolibarr", BASE, "", "connector", "SECRET",
            params={"key": "WEBSERVICE-KEY", "vat_rate": "19"}, site_wsdl=site,
        )  # fmt: skip
        gateway = connect(connection, session=session)
        gateway.adapter = adapter
        return gateway

    return build


def draft(**changes):
    line = dataclasses.replace(DRAFT.lines[0], item="4", qty=Decimal(2), unit_price=Decimal("10.5"))
    fields = {"customer": "33", "note": "", "lines": (line,)}
    return dataclasses.replace(DRAFT, **fields | changes)


def test_without_its_wsdls_it_says_which_and_how_to_add_them():
    with pytest.raises(ErpConfig, match=r"crm erp wsdl add .* --as dolibarr/order\.wsdl"):
        load("dolibarr")


def test_zeep_reads_no_line_where_there_are_three_and_we_read_all(dolibarr, site):
    profile = load("dolibarr", site)
    binding = wsdls.document(profile.wsdls["order"]).bindings[profile.services["order"].binding]
    body = etree.parse(str(RECORDED / "getOrder.ok-validated.response.xml")).getroot()[0]
    theirs = binding.get("getOrder").output.deserialize(body.getparent())
    assert theirs["order"]["lines"]["_value_1"] == []  # the trap: no error, no line
    order = dolibarr(getOrder="ok-validated").get(Entity.SALES_ORDER, "421")
    assert [line.item for line in order.lines] == ["4", "5", "6"]
    assert [line.qty for line in order.lines] == [Decimal(2), Decimal("3.5"), Decimal(1)]
    assert order.lines[1].unit_price == Decimal("0.33333000")
    assert (order.reference, order.customer, order.status) == ("smp-o-1795292533", "33", "open")
    assert order.ext == {"ref": "SO2611-0197"}
    assert order.lines[0].requested_on == dt.date(2026, 11, 1)


def test_a_count_that_does_not_fit_holds_the_order_back(dolibarr):
    gateway = dolibarr(getOrder="ok-validated")
    answer = gateway.adapter.answer
    gateway.adapter.answer = lambda request: (
        *answer(request)[:2],
        answer(request)[2].replace(b'arrayType=":[3]"', b'arrayType=":[4]"'),
    )
    with pytest.raises(ErpRefused, match="4 rows announced, 3 there"):
        gateway.get(Entity.SALES_ORDER, "421")


def test_a_delivery_day_in_seconds_is_a_day(dolibarr):
    order = dolibarr(getOrder="delivery-date-as-unix-time").get(Entity.SALES_ORDER, "1")
    assert {line.requested_on for line in order.lines} == {dt.date(2026, 12, 24)}


def test_lists_are_keys_first_and_then_one_by_one(dolibarr):
    gateway = dolibarr(
        getListOfThirdParties="many", getThirdParty="ok", getOrdersForThirdParty="two"
    )
    assert gateway.describe().can(Entity.CUSTOMER, Act.LIST)
    page = gateway.list(Entity.CUSTOMER, page_size=20)
    assert len(page.records) == 20
    assert page.complete
    last = gateway.list(Entity.CUSTOMER, cursor=page.next_cursor, page_size=20)
    assert len(last.records) == 12
    assert last.next_cursor is None
    customer = page.records[0]
    assert customer.name == 'Käse & Öl "Nord" <GmbH>'
    assert (customer.country, customer.addresses[0].city) == ("DE", "01067 Dresden")
    orders = gateway.list(Entity.SALES_ORDER, page_size=1).records
    assert [order.customer for order in orders] == ["33", "33"]
    assert len(orders[0].lines) == 3


def test_an_empty_list_is_empty_and_complete(dolibarr):
    page = dolibarr(getListOfThirdParties="empty").list(Entity.CUSTOMER)
    assert (page.records, page.next_cursor, page.complete) == ([], None, True)


def test_what_is_not_there_is_none_and_never_an_empty_record(dolibarr):
    gateway = dolibarr(getOrder="not-found")
    assert gateway.get(Entity.SALES_ORDER, "9") is None
    assert gateway.lookup(Entity.SALES_ORDER, "reference", "no-such-key") == []


@pytest.mark.parametrize("name", ["bad-key", "bad-password"])
def test_a_refused_login_stands_in_the_body(dolibarr, name):
    with pytest.raises(ErpAuth):
        dolibarr(getThirdParty=name).get(Entity.CUSTOMER, "1")


def test_an_order_goes_out_as_the_recorded_one_did(dolibarr):
    gateway = dolibarr(createOrder="ok-draft")
    result = gateway.create(draft())
    assert result.erp_id == "421"
    (request,) = gateway.adapter.sent
    sent = etree.fromstring(request.body)
    assert request.headers["Content-Type"].lower() == "text/xml; charset=utf-8"
    texts = {etree.QName(e).localname: e.text for e in sent.iter() if not len(e)}
    assert texts["login"] == "connector"
    assert texts["ref_ext"] == DRAFT.reference
    assert texts["unitprice"] == "10.50000"
    assert texts["vat_rate"] == "19"
    assert "total_net" not in texts


def test_what_it_would_silently_ignore_is_refused_before_it_leaves(dolibarr):
    gateway = dolibarr()
    line = dataclasses.replace(draft().lines[0], discount_pct=Decimal(5))
    with pytest.raises(ErpRefused, match="takes 0 only") as caught:
        gateway.create(draft(lines=(line,)))
    assert caught.value.issues[0].field == "discount_pct"
    line = dataclasses.replace(draft().lines[0], unit_price=Decimal("0.1234567"))
    with pytest.raises(ErpRefused, match="more than the 5 decimals"):
        gateway.create(draft(lines=(line,)))
    assert gateway.adapter.sent == []


def test_texts_of_its_database_are_no_words_for_people(dolibarr):
    with pytest.raises(ErpRefused) as caught:
        dolibarr(createOrder="ko-unknown-customer").create(draft())
    assert "foreign key" not in str(caught.value)
    (issue,) = caught.value.issues
    assert "foreign key" in issue.code
    assert issue.text == ""


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("concurrent-deadlock", ErpUnavailable),  # said so: nothing was stored
        ("concurrent-empty-result-code", ErpOutcomeUnknown),
        ("concurrent-http-202-html", ErpOutcomeUnknown),
        ("ko-no-date", ErpRefused),
    ],
)
def test_every_way_a_create_can_fail_is_what_it_is(dolibarr, name, error):
    with pytest.raises(error):
        dolibarr(createOrder=name).create(draft())


def test_what_it_does_badly_is_not_offered(dolibarr):
    gateway = dolibarr()
    with pytest.raises(ErpCannot, match="nothing else"):
        gateway.update("421", draft())
    with pytest.raises(ErpCannot, match="broken in this release"):
        gateway.list(Entity.INVOICE)


def test_a_health_check_needs_no_record(dolibarr):
    health = dolibarr(getVersions="ok").check()
    assert (health.ok, health.product) == (True, "Dolibarr")


# ------------------------------------------------------------------------- the twin behind its door


@pytest.fixture(scope="module")
def made_world(tmp_path_factory):
    path = tmp_path_factory.mktemp("dolibarr") / "small.sqlite"
    TwinWorld.generate(path, size="small", seed=7, today=TODAY)
    return path


@pytest.fixture
def twin(made_world, tmp_path):
    found = FaceTwin(shutil.copy(made_world, tmp_path / "own.sqlite"), "dolibarr")
    yield found
    found.world.close()


def new_order(twin, **changes):
    customer = next(c for c in twin.everything(Entity.CUSTOMER) if not c.credit_hold)
    item = next(i for i in twin.everything(Entity.ITEM) if i.sellable)
    lines = [
        dataclasses.replace(DRAFT.lines[0], line_no=n, item=item.erp_id, qty=Decimal(n))
        for n in (1, 2)
    ]
    fields = {
        "reference": "SO-26-90001/0",
        "customer": customer.erp_id,
        "customer_po": "",
        "lines": tuple(lines),
    }
    return dataclasses.replace(DRAFT, **fields | changes)


def test_lists_of_a_whole_world_hold_every_record_with_every_line(twin):
    page, own = twin.gateway.list(Entity.SALES_ORDER), twin.own(Entity.SALES_ORDER)
    orders = page.records
    assert (page.complete, page.next_cursor) == (True, None)
    assert sorted(o.reference for o in orders) == sorted(o.reference for o in own)
    assert sum(len(o.lines) for o in orders) == sum(len(o.lines) for o in own)
    assert [twin.gateway.get(Entity.SALES_ORDER, o.erp_id) for o in orders[:5]] == orders[:5]
    customers = twin.everything(Entity.CUSTOMER, page_size=5)
    assert [c.name for c in customers] == [c.name for c in twin.own(Entity.CUSTOMER)]


def test_an_order_that_is_entered_has_lost_its_po_number_and_its_dates(twin):
    sent = new_order(twin, customer_po="PO-7")
    result = twin.gateway.create(sent)
    order = twin.gateway.get(Entity.SALES_ORDER, result.erp_id)
    assert (order.reference, order.customer) == (sent.reference, sent.customer)
    assert [line.qty for line in order.lines] == [Decimal(1), Decimal(2)]
    assert order.customer_po == ""
    assert order.lines[0].requested_on == sent.ordered_on


def test_an_answer_that_is_lost_leaves_one_order_to_be_found(twin):
    sent = new_order(twin)
    twin.app.lose.add("createOrder")
    with pytest.raises(ErpOutcomeUnknown):
        twin.gateway.create(sent)
    (order,) = twin.gateway.lookup(Entity.SALES_ORDER, "reference", sent.reference)
    assert order.reference == sent.reference
    assert twin.count(sent.reference) == 1


def test_its_orders_are_never_certified_so_writes_stay_off(twin):
    def opener(**changes):
        connection = dataclasses.replace(twin.connection, **changes)
        return connect(connection, session=twin.session, now=lambda: twin.at)

    report = run(twin.connection, opener, now=lambda: twin.at, write=True)
    failed = {f.check.name for f in report.findings if f.outcome is Outcome.FAILED}
    assert "enter" in failed
    assert not report.fit_to_write
