"""What the twin writes, our reader reads: any record of any kind comes back as it was."""

from __future__ import annotations

import dataclasses
import io
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from b2bcrm.ports.erp import OrderDraft
from connectors.erp import profile, wsdls
from connectors.erp.profile import RECORDS
from connectors.erp.replies import read_envelope
from connectors.erp.requesting import build
from connectors.erp.twin.wire import Contract

from .samples import records

CONTRACT = Contract()
TWIN = profile.load("twin")
WSDL = wsdls.document(TWIN.wsdls["main"])
BINDING = WSDL.bindings[TWIN.services["main"].binding]
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
QUIET = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def enveloped(element) -> bytes:
    envelope = etree.Element(f"{{{SOAP}}}Envelope")
    etree.SubElement(envelope, f"{{{SOAP}}}Body").append(element)
    return etree.tostring(envelope, encoding="utf-8", xml_declaration=True)


def page_of(call, rows):
    info = {"announced": len(rows), "complete": True, "next_cursor": "n", "high_watermark": None}
    attr = CONTRACT.messages[call.response].parts[-1].attr
    return CONTRACT.message(call.response, {"page_info": info, attr: rows})


@pytest.mark.parametrize("entity", list(RECORDS))
@QUIET
@given(data=st.data())
def test_any_record_comes_back_as_it_was(entity, data):
    call = TWIN.calls[f"list {entity}"]
    rows = data.draw(st.lists(records(RECORDS[entity]), min_size=1, max_size=3))
    element = page_of(call, rows)
    assert CONTRACT.validator.validate(element), CONTRACT.validator.error_log
    reply = read_envelope(io.BytesIO(enveloped(element)), call.response, call.wanted).reply
    assert reply.drift == []
    assert not reply.unknown
    assert reply.rows[0] == rows


def plain(value):
    """Zeep's value in the form of ours: lists unwrapped, absent lists empty."""
    if value is None or isinstance(value, str | int | Decimal):
        return value
    if hasattr(value, "__values__"):
        inner = vars(value)["__values__"]
        if len(inner) == 1 and isinstance(only := next(iter(inner.values())), list | None):
            return [plain(v) for v in only or []]
        return {k: plain(v) for k, v in inner.items()}
    return value


def ours(value, part):
    """Our value in zeep's words, by the contract's names."""
    shape = CONTRACT.shape(part.shape) if part.kind == "record" else None
    if part.kind == "entries":
        return [{"_value_1": v or None, "key": k} for k, v in value.items()]
    if shape is None:
        if part.kind == "language":
            return {"zh_Hant": "zh-TW", "zh_Hans": "zh-CN"}.get(value, value)
        return value
    if shape.item is not None:
        return [ours(v, shape.item) for v in value]
    return {p.tag.rpartition("}")[2]: ours(getattr(value, p.attr), p) for p in shape.parts}


@pytest.mark.parametrize("entity", list(RECORDS))
@QUIET
@given(data=st.data())
def test_our_reader_agrees_with_zeeps_own(entity, data):
    call = TWIN.calls[f"list {entity}"]
    row = data.draw(records(RECORDS[entity]))
    element = page_of(call, [row])
    theirs = BINDING.get(call.operation).output.body.parse(element, WSDL.types)
    part = CONTRACT.messages[call.response].parts[-1]
    reply = read_envelope(io.BytesIO(enveloped(element)), call.response, call.wanted).reply
    (mine,) = reply.rows[0]
    assert empty_is_none(plain(theirs[call.wanted[0].path.text][0])) == empty_is_none(
        ours(mine, part)
    )


def empty_is_none(value):
    """Zeep reads an empty text or list as None; we keep them apart, here they are laid together."""
    if isinstance(value, dict):
        return {k: empty_is_none(v) for k, v in value.items()}
    if isinstance(value, list) and value:
        return [empty_is_none(v) for v in value]
    return None if value in ("", []) else value


@QUIET
@given(draft=records(OrderDraft))
def test_any_draft_arrives_as_it_was_sent(draft):
    tree = build(TWIN.calls["create"].settings, vars(draft)).arguments()
    body = BINDING.get("CreateSalesOrder").input.body
    holder = etree.Element("holder")
    body.render(holder, body(**tree))
    request = etree.fromstring(etree.tostring(holder[0]))
    assert CONTRACT.validator.validate(request), CONTRACT.validator.error_log
    assert CONTRACT.arguments(request)["draft"] == draft


def test_every_field_of_every_record_is_mapped():
    for entity, record in RECORDS.items():
        plan = TWIN.calls[f"list {entity}"].wanted[0].plan
        assert plan.record is record
        named, stack = set(), [plan.root]
        while stack:
            node = stack.pop()
            named.add(node.name)
            stack.extend(n for n in node.below.values() if n is not None)
            named.update(rows.name for rows in node.rows)
        assert {f.name for f in dataclasses.fields(record)} <= named
