"""The order acknowledgement: who gets which document, once per amendment."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.customers.models import Contact
from b2bcrm.files.models import StoredFile
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.orders import actions
from b2bcrm.orders.events import EVENTS
from b2bcrm.orders.handlers import MailAcknowledgement
from b2bcrm.orders.lifecycle import ErpSync, OrderState
from b2bcrm.sync import connections
from b2bcrm.sync.models import ErpConnection
from tests.factories import make_account, make_line, make_order

pytestmark = pytest.mark.db
BY_NAME = {event.name: event for event in EVENTS}


class Postbox:
    """Keeps the mails it was given."""

    def __init__(self):
        self.mails = []

    def send(self, mail):
        self.mails.append(mail)


@pytest.fixture
def postbox():
    return Postbox()


@pytest.fixture
def handler(postbox, tmp_path):
    return MailAcknowledgement(postbox, "https://crm.example", tmp_path)


@pytest.fixture
def order(work, promises):
    account = make_account(work)
    contact = Contact(account_id=account.id, name="Ken Ito", email="ken@customer.example")
    work.session.add(contact)
    work.session.flush()
    made = make_order(
        work,
        account,
        state=OrderState.SUBMITTED,
        erp_sync=ErpSync.NONE,
        erp_no=None,
        contact_id=contact.id,
        lines=[make_line(work, first_promised_on=None)],
    )
    actions.confirm(work, made.id, expected_version=None, promises=promises)
    return made


def waiting(work, handler):
    query = sa.select(Delivery).where(Delivery.handler == handler.name).order_by(Delivery.id)
    return [BY_NAME[row.event].from_json(row.payload) for row in work.session.scalars(query)]


def deliver(work, handler, event):
    message = handler.prepare(work, event)
    if message is not None:
        handler.record(work, event, handler.send(message, again=False))
    return message


def test_a_confirmed_order_is_acknowledged_by_mail_and_its_paper_kept_once(
    work, handler, postbox, order
):
    (event,) = waiting(work, handler)
    deliver(work, handler, event)
    deliver(work, handler, event)
    assert {mail.to[0] for mail in postbox.mails} == {"ken@customer.example"}
    assert len({mail.message_id for mail in postbox.mails}) == 1
    assert postbox.mails[0].attachments[0].name == f"{order.no}.pdf"
    assert list(work.session.scalars(sa.select(StoredFile.name))) == [f"{order.no}.pdf"]


def test_a_promise_that_moves_before_the_mail_left_does_not_swallow_it(work, handler, order):
    moved = dt.date(2026, 12, 22)
    actions.repromise(
        work, order.id, order.lines[0].line_no, expected_version=None, promised_on=moved
    )
    (event,) = waiting(work, handler)
    letter = handler.prepare(work, event)
    assert letter.content.lines[0].ready_on == moved


def test_an_amendment_that_follows_gets_the_only_mail(work, handler, promises, order):
    line = order.lines[0]
    actions.amend_line(
        work,
        order.id,
        line.line_no,
        expected_version=None,
        promises=promises,
        qty=line.ordered_qty + Decimal(1),
    )
    first, second = waiting(work, handler)
    assert handler.prepare(work, first) is None
    assert handler.prepare(work, second).content.amendment == 1


def test_a_cancelled_order_is_not_acknowledged_any_more(work, handler, promises, order):
    actions.cancel(work, order.id, expected_version=None, reason="stopped", promises=promises)
    (event,) = waiting(work, handler)
    assert handler.prepare(work, event) is None


def test_while_customers_are_not_told_the_paper_is_kept_and_no_mail_is_sent(
    work, handler, postbox, order
):
    connection = ErpConnection(code="main", notices=False, notices_off_since=work.now)
    work.session.add(connection)
    work.session.flush()
    (event,) = waiting(work, handler)
    deliver(work, handler, event)
    assert postbox.mails == []
    assert list(work.session.scalars(sa.select(StoredFile.name))) == [f"{order.no}.pdf"]
    work.session.execute(sa.update(Delivery).values(state=DeliveryState.DONE))
    (one,) = connections.untold(work, "main", work.now)
    assert (one.handler, one.order_no) == (handler.name, order.no)
    connection.notices = True
    work.session.flush()
    deliver(work, handler, event)
    assert [mail.to[0] for mail in postbox.mails] == ["ken@customer.example"]
