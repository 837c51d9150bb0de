"""The twin's service at its edge: what comes in is checked, what goes out is the contract."""

from __future__ import annotations

import base64
import datetime as dt
import io
import threading
from decimal import Decimal

import pytest
import requests
from lxml import etree

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import (
    Connection,
    Entity,
    ErpOutcomeUnknown,
    Health,
    Page,
    PriceBreak,
    WriteResult,
)
from connectors.erp.gateway import connect
from connectors.erp.twin.faults import Fault
from connectors.erp.twin.listening import make_server
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.server import TwinApp

from .conftest import envelope
from .test_bad_answers import DRAFT

NOW = dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)
LOGIN = "Basic " + base64.b64encode("crm:pässwort".encode()).decode()


class OneRow:
    """A world of one price, for what does not depend on the world."""

    row = PriceBreak(
        erp_id="1",
        price_list="EU",
        item="i",
        currency="EUR",
        min_qty=Decimal(1),
        unit_price=Decimal("0.00345"),
        valid_from=dt.date(2026, 1, 1),
        valid_to=None,
    )
    advanced: dt.datetime | None = None

    def now(self):
        return NOW

    def health(self):
        return Health(ok=True, message=Message("The ERP answers."), product="Formosa ERP twin")

    def advance_to(self, now):
        self.advanced = now

    def list(self, entity, **_):
        return Page([self.row], None, NOW, complete=True)

    def get(self, entity, erp_id):
        return self.row

    def create(self, draft):
        if draft.reference == "no/0":
            raise TwinRefusal("c", "no & never", "qty", 3)
        return WriteResult("4711", "1", {1: 10})


@pytest.fixture
def world():
    return OneRow()


@pytest.fixture
def app(world):
    return TwinApp(world, user="crm", password="pässwort")


@pytest.fixture
def ask(app):
    def call(body=b"", *, method="POST", path="/soap", query="", login=LOGIN):
        head = {}
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_AUTHORIZATION": login,
            "HTTP_HOST": "127.0.0.1:8000",
            "wsgi.input": io.BytesIO(body),
        }
        content = b"".join(app(environ, lambda status, headers: head.update(status=status)))
        return int(head["status"][:3]), content

    return call


PING = envelope("<Ping/>")


def test_a_valid_request_is_answered_by_the_contract(ask, world, app):
    status, body = ask(envelope("<ListPriceBreaks><PageSize>5</PageSize></ListPriceBreaks>"))
    assert status == 200
    assert world.advanced == NOW
    (answer,) = etree.fromstring(body)[0]
    app._contract.validator.assertValid(answer)
    assert b"<UnitPrice>0.00345</UnitPrice>" in body


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "bytes"),
        (b"not xml", "not XML"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + PING.split(b"?>", 1)[1], "document type"),
        (b"<a/>", "envelope"),
        (envelope(""), "envelope"),
        (envelope("<Ping/><Ping/>"), "envelope"),
        (envelope("<Launch/>"), "no such operation"),
        (envelope("<PingResponse/>"), "no such operation"),
        (envelope("<ListItems/>"), "PageSize"),
        (envelope("<ListItems><PageSize>many</PageSize></ListItems>"), "PageSize"),
        (envelope("<GetItem><Id>1</Id><Id>2</Id></GetItem>"), "Id"),
    ],
)
def test_a_request_that_breaks_the_contract_gets_a_fault(ask, body, said):
    status, answer = ask(body)
    fault = etree.fromstring(answer)[0][0]
    assert status == 500
    assert fault.findtext("faultcode").startswith("soap:Client")
    assert said in fault.findtext("faultstring")


@pytest.mark.parametrize("login", ["", "Basic", "Basic !", "Bearer x", "Basic Y3JtOndyb25n"])
def test_nobody_enters_without_the_password(ask, login):
    status, body = ask(PING, login=login)
    assert status == 401
    assert b"Client.Authentication" in body


def test_the_contract_is_published_with_the_servers_own_address(ask):
    status, wsdl = ask(method="GET", query="wsdl", login="")
    assert status == 200
    assert b'location="http://127.0.0.1:8000/soap"' in wsdl
    assert etree.fromstring(ask(method="GET", path="/erp.xsd")[1]) is not None
    assert ask(method="GET", path="/etc/passwd")[0] == 404


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_over_a_real_socket_a_connection_is_kept_and_dropped_on_demand(app):
    server = make_server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        with requests.Session() as session:
            connection = Connection(
                code="main",
                profile="twin",
                base_url=url,
                company="FPD-TW",
                user="crm",
                secret="pässwort",
                read_timeout_s=1.0,
            )
            gateway = connect(connection, session=session)
            for _ in range(3):
                assert gateway.list(Entity.PRICE).records == [OneRow.row]
            (pool,) = session.get_adapter(url).poolmanager.pools._container.values()
            assert (pool.num_connections, pool.num_requests) == (1, 3)
            assert gateway.create(DRAFT).line_map == {1: 10}
            app.faults = lambda asked: Fault.TIMEOUT_AFTER_COMMIT
            with pytest.raises(ErpOutcomeUnknown):
                gateway.create(DRAFT)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
