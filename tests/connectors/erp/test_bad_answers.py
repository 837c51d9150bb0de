"""Every way an answer can be bad, for a read and for a write."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import pytest
import requests
import urllib3

from b2bcrm.ports.erp import (
    Entity,
    ErpOutcomeUnknown,
    ErpRefused,
    ErpUnavailable,
    OrderDraft,
    OrderDraftLine,
)

ON = dt.date(2026, 12, 1)
DRAFT = OrderDraft(
    reference="SO-26-10482/0",
    customer="C001",
    customer_po="PO-7",
    ordered_on=ON,
    currency="EUR",
    ship_to="S1",
    incoterm="DAP",
    incoterm_place="Hamburg",
    payment_terms="30",
    site="TC",
    note="bell \x07 & <tag> \ud800",
    lines=(
        OrderDraftLine(
            line_no=1,
            item="007",
            qty=Decimal("1E+1"),
            uom="pcs",
            unit_price=Decimal("0.345000"),
            discount_pct=Decimal(0),
            requested_on=ON,
            promised_on=ON,
        ),
    ),
)
INVOICE = (
    "<Invoice><Id>0001</Id><Version>1</Version><UpdatedAt>2026-11-17T09:40:00+08:00</UpdatedAt>"
    "<Company>FPD</Company><Deleted>false</Deleted><Ext/><Customer>C001</Customer>"
    "<SalesOrder>S1</SalesOrder><Shipment>D1</Shipment><InvoicedOn>2026-11-17</InvoicedOn>"
    "<DueOn>2026-12-17</DueOn><Currency>EUR</Currency><Total>{total}</Total>"
    "<OpenAmount>0.10</OpenAmount>{more}</Invoice>"
)


def page(rows, announced=1, complete="true"):
    return (
        f"<ListInvoicesResponse><PageInfo><Announced>{announced}</Announced>"
        f"<Complete>{complete}</Complete></PageInfo>{rows}</ListInvoicesResponse>"
    )


def invoice(total="1.10", more=""):
    return INVOICE.format(total=total, more=more)


def fault(code, issue=""):
    detail = f'<detail><Refusal xmlns="urn:formosa:erp:1">{issue}</Refusal></detail>'
    return (
        f'<s:Fault><faultcode xmlns="">s:{code}</faultcode>'
        f'<faultstring xmlns="">in words</faultstring>{detail if issue else ""}</s:Fault>'
    )


HTML = b"<!doctype html><html><body>Sign in<br></body></html>"
DTD = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'


class Breaking(io.BytesIO):
    def read(self, *args):
        data = super().read(*args)
        if not data:
            raise urllib3.exceptions.ReadTimeoutError(None, None, "read")
        return data


def with_dtd(xml_answer):
    status, kind, body = xml_answer
    head, rest = body.split(b"?>", 1)
    return status, kind, head + b"?>" + DTD + rest


NO_ANSWER = {
    "a login page with 200": (200, "text/html", HTML),
    "a login page that claims to be XML": (200, "text/xml", HTML),
    "a proxy's 502": (502, "text/html", HTML),
    "a 500 without a fault": (500, "text/xml", b""),
    "an empty body": (200, "text/xml", b""),
    "a redirect": (302, "text/html", b""),
    "plain XML": (200, "text/xml", b"<ok/>"),
    "half an envelope": (200, "text/xml", Breaking(b"<s:Envelope xmlns:s='urn:x'><s:Bo")),
}


@pytest.mark.parametrize("name", NO_ANSWER)
def test_a_read_without_an_answer_may_be_tried_again(gateway_for, name):
    with pytest.raises(ErpUnavailable):
        gateway_for(NO_ANSWER[name]).list(Entity.INVOICE)


@pytest.mark.parametrize("name", NO_ANSWER)
def test_a_write_without_an_answer_has_an_unknown_outcome(gateway_for, name):
    with pytest.raises(ErpOutcomeUnknown):
        gateway_for(NO_ANSWER[name]).create(DRAFT)


def raising(error):
    def answer(request):
        raise error

    return answer


@pytest.mark.parametrize(
    "error",
    [
        requests.ReadTimeout(),
        requests.ConnectionError(urllib3.exceptions.ProtocolError("aborted")),
        requests.exceptions.ChunkedEncodingError(),
        ConnectionResetError(),
    ],
)
def test_a_write_that_may_have_left_has_an_unknown_outcome(gateway_for, error):
    with pytest.raises(ErpOutcomeUnknown):
        gateway_for(raising(error)).create(DRAFT)


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectTimeout(),
        requests.exceptions.SSLError(),
        requests.ConnectionError(
            urllib3.exceptions.MaxRetryError(
                None, "/", urllib3.exceptions.NewConnectionError(None, "refused")
            )
        ),
    ],
)
def test_a_write_that_surely_never_left_may_be_tried_again(gateway_for, error):
    with pytest.raises(ErpUnavailable):
        gateway_for(raising(error)).create(DRAFT)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_login_needs_a_person(gateway_for, status):
    with pytest.raises(ErpRefused) as caught:
        gateway_for((status, "text/html", HTML)).create(DRAFT)
    assert caught.value.code == "erp_auth"


def test_a_business_fault_carries_its_words_field_and_line(gateway_for, xml):
    issue = (
        "<Issue><Code>qty</Code><Text>lot is 5</Text><Field>qty</Field><LineNo>2</LineNo></Issue>"
    )
    with pytest.raises(ErpRefused) as caught:
        gateway_for(xml(fault("Client.Refused", issue), 500)).create(DRAFT)
    error = caught.value
    assert "lot is 5" in str(error)
    assert error.issues[0].line_no == 2
    assert list(error.fields) == ["lines.2.qty"]


def test_a_fault_of_a_busy_server_is_tried_again_and_any_other_is_unknown(gateway_for, xml):
    with pytest.raises(ErpUnavailable):
        gateway_for(xml(fault("Server.Busy"), 500)).create(DRAFT)
    with pytest.raises(ErpOutcomeUnknown):
        gateway_for(xml(fault("Server"), 500)).create(DRAFT)
    with pytest.raises(ErpUnavailable):
        gateway_for(xml(fault("Server"), 500)).list(Entity.INVOICE)


def test_a_conflict_has_a_code_of_its_own(gateway_for, xml):
    with pytest.raises(ErpRefused) as caught:
        gateway_for(xml(fault("Client.Conflict"), 500)).update("S1", DRAFT, expected_version="1")
    assert caught.value.code == "erp_conflict"


def test_decimals_are_exact_and_ids_keep_their_zeros(gateway_for, xml):
    total = "12345678901234567890.000000000000000001"
    (row,) = gateway_for(xml(page(invoice(total)))).list(Entity.INVOICE).records
    assert row.total == Decimal(total)
    assert row.erp_id == "0001"
    assert row.updated_at == dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)


@pytest.mark.parametrize("total", ["1e400", "NaN", "1,5", "1_0", "", "１"])
def test_a_number_that_is_none_holds_back_its_record_only(gateway_for, xml, total):
    found = gateway_for(xml(page(invoice(total) + invoice(), 2))).list(Entity.INVOICE)
    assert len(found.records) == 1
    assert not found.complete
    assert "0001" in found.drift[0].erp_id


def test_an_unknown_element_is_tolerated(gateway_for, xml):
    found = gateway_for(
        xml(page(invoice(more="<NewThing><Id>9</Id></NewThing>") + "<Hint>x</Hint>"))
    ).list(Entity.INVOICE)
    assert found.complete
    assert found.records[0].erp_id == "0001"


def test_a_missing_element_holds_the_record_back(gateway_for, xml):
    row = invoice().replace("<Currency>EUR</Currency>", "")
    found = gateway_for(xml(page(row))).list(Entity.INVOICE)
    assert found.records == []
    assert not found.complete
    assert "currency" in found.drift[0].path


def test_fewer_rows_than_announced_are_not_complete(gateway_for, xml):
    assert gateway_for(xml(page(invoice(), 1))).list(Entity.INVOICE).complete
    assert not gateway_for(xml(page(invoice(), 2))).list(Entity.INVOICE).complete
    assert not gateway_for(xml(page(invoice(), 1, "false"))).list(Entity.INVOICE).complete


def test_a_page_that_says_nothing_about_itself_is_not_complete(gateway_for, xml):
    body = f"<ListInvoicesResponse>{invoice()}</ListInvoicesResponse>"
    assert not gateway_for(xml(body)).list(Entity.INVOICE).complete


def test_a_cursor_that_stands_still_is_not_complete(gateway_for, xml):
    body = page(invoice()).replace("<Complete>", "<NextCursor>7</NextCursor><Complete>")
    assert gateway_for(xml(body)).list(Entity.INVOICE, cursor="6").complete
    assert not gateway_for(xml(body)).list(Entity.INVOICE, cursor="7").complete


def test_a_huge_answer_is_cut_off(gateway_for, xml):
    rows = invoice() * 5000
    with pytest.raises(ErpUnavailable, match="larger than 1 MB"):
        gateway_for(xml(page(rows, 5000)), reply_cap_mb=1).list(Entity.INVOICE)


def test_a_document_type_is_refused(gateway_for, xml):
    with pytest.raises(ErpUnavailable, match="document type"):
        gateway_for(with_dtd(xml(page(invoice("&b;"))))).list(Entity.INVOICE)
    with pytest.raises(ErpOutcomeUnknown, match="document type"):
        gateway_for(with_dtd(xml(page("")))).create(DRAFT)


def test_an_order_without_its_lines_element_is_not_an_order_without_lines(gateway_for, xml):
    texts = "Id Reference Customer CustomerPo Currency ShipTo Incoterm IncotermPlace"
    fields = "".join(f"<{n}>x</{n}>" for n in [*texts.split(), "PaymentTerms", "Site"])
    fields += "<OrderedOn>2026-11-17</OrderedOn><Status>open</Status>"

    def got(lines):
        order = f"<SalesOrder>{fields}{lines}</SalesOrder>"
        body = f"<GetSalesOrderResponse>{order}</GetSalesOrderResponse>"
        return gateway_for(xml(body)).get(Entity.SALES_ORDER, "x")

    assert got("<Lines/>").lines == ()
    with pytest.raises(ErpRefused) as caught:
        got("")
    assert caught.value.code == "erp_drift"


def test_a_lookup_that_cannot_be_read_is_never_an_empty_answer(gateway_for, xml):
    body = "<FindSalesOrdersResponse><SalesOrder><Id>1</Id></SalesOrder></FindSalesOrdersResponse>"
    with pytest.raises(ErpRefused):
        gateway_for(xml(body)).lookup(Entity.SALES_ORDER, "reference", "SO-26-1/0")
    with pytest.raises(ErpRefused):
        gateway_for(xml(body)).lookup(Entity.CUSTOMER, "name", "x")


def test_a_write_answer_without_a_number_has_an_unknown_outcome(gateway_for, xml):
    body = "<CreateSalesOrderResponse><Result><Id/></Result></CreateSalesOrderResponse>"
    with pytest.raises(ErpOutcomeUnknown):
        gateway_for(xml(body)).create(DRAFT)


def test_what_leaves_is_clean_and_the_log_holds_no_price_and_no_secret(gateway_for, xml, notes):
    body = (
        "<CreateSalesOrderResponse><Result><Id>4711</Id><Version>1</Version><LineMap><Line><Sent>1"
        "</Sent><Kept>10</Kept></Line></LineMap><Messages><Issue><Code>i</Code>"
        "<Text>s3cret-word</Text><Field/></Issue></Messages></Result></CreateSalesOrderResponse>"
    )
    gateway = gateway_for(xml(body), log=notes)
    result = gateway.create(DRAFT)
    assert (result.erp_id, result.line_map) == ("4711", {1: 10})
    (request,) = gateway.adapter.sent
    assert b"bell  &amp; &lt;tag&gt; " in request.body
    assert b"<ns0:Qty>10</ns0:Qty>" in request.body
    assert b"0.345000" in request.body
    (note,) = notes.kept
    assert note["reference"] == DRAFT.reference
    assert request.headers["X-Correlation-Id"] == note["correlation_id"]
    assert b"0.345" not in note["request"]
    assert b"SO-26-10482/0" in note["request"]
    assert b"s3cret" not in note["request"] + note["reply"]
    assert note["status"] == 200


def test_a_failed_call_is_noted_too(gateway_for, notes):
    with pytest.raises(ErpUnavailable):
        gateway_for(raising(requests.ConnectTimeout()), log=notes).list(Entity.ITEM)
    (note,) = notes.kept
    assert (note["status"], note["reply"]) == (None, None)
    assert str(note["error"]) == "The ERP cannot be reached."


def test_a_log_that_fails_does_not_undo_what_the_erp_has_taken(gateway_for, xml, caplog):
    class Broken:
        def room(self):
            return 64 * 1024

        def note(self, **fields):
            raise OSError("disk full")

    body = "<CreateSalesOrderResponse><Result><Id>4711</Id></Result></CreateSalesOrderResponse>"
    assert gateway_for(xml(body), log=Broken()).create(DRAFT).erp_id == "4711"
    assert "could not be noted" in caplog.text


def test_check_says_what_is_wrong_instead_of_raising(gateway_for, xml):
    assert not gateway_for((503, "text/html", HTML)).check().ok
    body = (
        "<PingResponse><Status><Product>Formosa ERP</Product>"
        "<ServerTime>2026-11-17T09:40:00+08:00</ServerTime>"
        "<Companies><Company><Code>{}</Code></Company></Companies></Status></PingResponse>"
    )
    assert gateway_for(xml(body.format("FPD"))).check().ok
    health = gateway_for(xml(body.format("OTHER"))).check()
    assert not health.ok
    assert "FPD" in str(health.message)
