"""Documents inside strings, where the string holds something else, or only the answer has one."""

from __future__ import annotations

import copy
import dataclasses
import tomllib
from decimal import Decimal

import pytest
from lxml import etree

from b2bcrm.ports.erp import (
    Entity,
    ErpAuth,
    ErpConfig,
    ErpOutcomeUnknown,
    ErpRefused,
    ErpUnavailable,
)
from connectors.erp.arguments import arguments
from connectors.erp.judging import Verdict
from connectors.erp.misfit import ProfileError
from connectors.erp.profile import PROFILE_DIR, compile_profile
from connectors.erp.profile.rules import rules_of
from connectors.erp.profile.table import Table

from .test_bad_answers import DRAFT

U9 = {"profile": "yonyou-u9", "params": {"doc_type": "SO3"}}
ORDER = dataclasses.replace(
    DRAFT, lines=tuple(dataclasses.replace(x, qty=Decimal(2), uom="PCS") for x in DRAFT.lines)
)


def said(operation, text):
    body = etree.Element(f"{{http://tempuri.org/}}{operation}Response")
    etree.SubElement(body, f"{{http://tempuri.org/}}{operation}Result").text = text
    whole = etree.Element("{http://schemas.xmlsoap.org/soap/envelope/}Envelope")
    etree.SubElement(whole, "{http://schemas.xmlsoap.org/soap/envelope/}Body").append(body)
    return 200, "text/xml; charset=utf-8", etree.tostring(whole, encoding="utf-8")


def profile_data(name):
    text = (PROFILE_DIR / f"{name}.toml").read_text(encoding="utf-8")
    return copy.deepcopy(tomllib.loads(text))


@pytest.mark.parametrize(
    ("sentence", "error"),
    [
        ("用户名或密码错误", ErpAuth),
        ("组织 NOBODY 不存在", ErpConfig),
        ("服务器正忙", ErpUnavailable),
        ("<Result><Status>0</Status><Row", ErpUnavailable),
        ("", ErpUnavailable),
    ],
)
def test_a_sentence_in_place_of_a_document_is_what_the_profile_says_of_it(
    gateway_for, sentence, error
):
    gateway = gateway_for(said("QueryItemFromXML", sentence), **U9)
    with pytest.raises(error) as caught:
        gateway.list(Entity.ITEM)
    assert type(caught.value) is error
    assert ("服务器正忙" in str(caught.value)) == (sentence == "服务器正忙")


@pytest.mark.parametrize("sentence", ["服务器正忙", "<Result><Status>0</Status><DocNo>SO1"])
def test_a_write_that_is_answered_by_no_document_may_have_been_done(gateway_for, sentence):
    gateway = gateway_for(said("CreateSOFromXML", sentence), **U9)
    with pytest.raises(ErpOutcomeUnknown):
        gateway.create(ORDER)


def test_the_words_of_a_database_in_a_sentence_are_not_shown(gateway_for):
    text = "ORA-00942: table or view does not exist"
    gateway = gateway_for(said("QueryItemFromXML", text), **U9)
    with pytest.raises(ErpUnavailable) as caught:
        gateway.list(Entity.ITEM)
    assert "ORA" not in str(caught.value)


def test_a_refused_order_is_refused_in_the_documents_words(gateway_for):
    text = "<Result><Status>1</Status><Message>第2行: 料品不存在</Message></Result>"
    with pytest.raises(ErpRefused, match="第2行"):
        gateway_for(said("CreateSOFromXML", text), **U9).create(ORDER)


def test_a_deadlock_in_a_document_is_tried_again(gateway_for):
    text = "<Result><Status>1</Status><Message>事务死锁</Message></Result>"
    with pytest.raises(ErpUnavailable):
        gateway_for(said("CreateSOFromXML", text), **U9).create(ORDER)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("argument", "xmlDoc", "xmlDoc; did you mean xml?"),
        ("result", "{operation}Answer", "QueryItemFromXMLAnswer; did you mean"),
        ("result", "", "where does the document stand?"),
    ],
)
def test_an_argument_or_result_that_the_wsdl_lacks_is_refused(key, value, words):
    data = profile_data("yonyou-u9")
    data["payload"][key] = value
    with pytest.raises(ProfileError, match=f"payload.{key}: ") as caught:
        compile_profile(data)
    assert words in caught.value.text


def test_a_rule_about_a_bare_text_takes_no_path():
    data = profile_data("yonyou-u9")
    data["errors"]["rules"][0]["path"] = "Status"
    with pytest.raises(ProfileError, match=r"errors\.rules\[0\]: a bare text"):
        compile_profile(data)


def test_a_call_without_an_argument_is_typed_and_reads_a_document():
    data = profile_data("yonyou-u9")
    get = data["read"]["item"]["get"]
    get["argument"] = ""
    get["set"] = [["xml", "erp_id"]]
    profile = compile_profile(data)
    values = {"erp_id": "FG <1>", "conn.user": "u", "secret": "s", "conn.company": "c"}
    sent = arguments(profile, profile.calls["get item"], values)
    assert sent == {"xml": "FG <1>", "u9User": "u", "u9Pwd": "s", "u9Org": "c"}
    assert profile.calls["get item"].payload.result.text == "QueryItemFromXMLResult"


def test_a_refusal_of_u8_behind_such_a_gateway_is_read_by_one_rule():
    rule = {"path": "item/@succeed", "not": ["0"], "class": "rejected", "text": "item/@dsc"}
    rules = rules_of(Table({"rules": [rule]}, "errors"), None, None)
    reply = (
        '<ufinterface><item key="1" succeed="{}" dsc="customer C1 does not exist"/></ufinterface>'
    )
    refused = rules.of_answer("Add", etree.fromstring(reply.format(1)), None)
    assert refused.verdict is Verdict.REJECTED
    assert refused.issues[0].text == "customer C1 does not exist"
    assert rules.of_answer("Add", etree.fromstring(reply.format(0)), None).verdict is Verdict.OK
