"""The customer's mail about a moved promise."""

from __future__ import annotations

import pytest

from b2bcrm.fulfillment.events import PromiseMoved
from b2bcrm.fulfillment.handlers import MailPromiseMoved
from b2bcrm.fulfillment.queries.notices import promise_notice
from b2bcrm.kernel import outbox
from b2bcrm.kernel.words import Message
from b2bcrm.sync.models import ErpConnection
from tests.factories import make_account, make_order
from tests.fulfillment.conftest import day


class Box:
    def __init__(self):
        self.mails = []

    def send(self, mail):
        self.mails.append(mail)


def moved(order, to="12-18"):
    return PromiseMoved(
        subject_id=order.id,
        order_id=order.id,
        account_id=order.account_id,
        order_no=order.no,
        line_no=20,
        previous_on=day("12-15"),
        promised_on=day(to),
        reason_code="material",
        reason=Message("Material is late"),
    )


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Fri 18 Dec 2026"), ("zh_Hant", "12月18日（五）"), ("zh_Hans", "12月18日 周五")],
)
def test_the_customer_hears_the_new_date_in_his_language_and_not_our_reason(work, language, words):
    order = make_order(work, make_account(work, language=language))
    box = Box()
    handler = MailPromiseMoved(box, "https://crm.example")
    event = PromiseMoved.from_json(moved(order).to_json())
    handler.send(handler.prepare(work, event), again=False)
    mail = box.mails[0]
    assert words in mail.text
    assert order.no in mail.subject
    assert f"https://crm.example/portal/orders/{order.no}" in mail.html
    assert "Material is late" not in mail.text + mail.html


def test_an_earlier_date_is_no_apology(work):
    order = make_order(work, make_account(work))
    mail = MailPromiseMoved(Box(), "https://crm.example").prepare(work, moved(order, "12-10"))
    assert "sorry" not in mail.text


def test_two_moves_of_a_line_are_two_mails_and_a_repeat_is_the_same(work):
    order = make_order(work, make_account(work))
    handler = MailPromiseMoved(Box(), "https://crm.example")
    ids = [handler.prepare(work, moved(order, to)).message_id for to in ("12-18", "12-21", "12-18")]
    assert len(set(ids)) == 2


def test_an_account_without_an_address_gets_no_mail(work):
    account = make_account(work)
    account.contacts[0].email = ""
    order = make_order(work, account)
    assert MailPromiseMoved(Box(), "https://crm.example").prepare(work, moved(order)) is None


def test_while_customers_of_its_erp_are_not_told_nothing_is_sent_and_the_notice_is_remembered(work):
    work.session.add_all(
        [ErpConnection(code="main", notices=True), ErpConnection(code="cn", notices=False)]
    )
    here, there = (
        make_order(work, make_account(work), erp_connection=code) for code in ("main", "cn")
    )
    handler = MailPromiseMoved(Box(), "https://crm.example")
    rows = [
        outbox.enqueue(work.session, moved(order), handler.name, work.tick)
        for order in (here, there)
    ]
    work.session.flush()
    assert handler.prepare(work, moved(here)) is not None
    assert handler.prepare(work, moved(there)) is None
    work.session.expire_all()
    assert [row.target for row in rows] == ["", "cn"]  # the list before the go-live


def test_what_is_shown_before_is_what_is_sent(work):
    order = make_order(work, make_account(work))
    event = moved(order)
    shown = promise_notice(
        work,
        order,
        event.line_no,
        promised_on=event.promised_on,
        previous_on=event.previous_on,
        asks=True,
        base_url="https://crm.example",
    )
    assert shown == MailPromiseMoved(Box(), "https://crm.example").prepare(work, event)
