"""Which mail follows from which fact."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from b2bcrm.files.models import StoredFile
from b2bcrm.kernel.actor import Role
from b2bcrm.quotes import actions, events, handlers, queries
from b2bcrm.quotes.lifecycle import LossReason
from b2bcrm.users.models import User
from tests.factories import buyer, make_account, make_site
from tests.quotes.standins import make_sent

pytestmark = pytest.mark.db


class Outbox:
    """Keeps the mails it was given."""

    def __init__(self):
        self.mails = []

    def send(self, mail):
        self.mails.append(mail)


@pytest.fixture
def outbox():
    return Outbox()


def sent_event(quote):
    return events.QuoteSent(
        subject_id=quote.id,
        account_id=quote.account_id,
        no=quote.no,
        label=quote.label,
        total=quote.total,
        currency=quote.currency,
        valid_until=quote.valid_until,
        held_until=quote.held_until,
    )


def deliver(handler, work, event):
    message = handler.prepare(work, event)
    if message is not None:
        handler.record(work, event, handler.send(message, again=False))
    return message


def make_owner(work):
    owner = User(
        email="mei-ling@formosa.example",
        name="林美玲",
        role=Role.SALES,
        locale="zh_Hant",
        password_hash="-",
        created_at=work.tick,
    )
    work.session.add(owner)
    work.session.flush()
    return owner


def test_every_event_survives_the_outbox(work, promises):
    event = sent_event(make_sent(work, promises))
    assert events.QuoteSent.from_json(event.to_json()) == event


@pytest.mark.slow
def test_the_quote_is_mailed_with_its_pdf_and_kept_once(work, promises, outbox, tmp_path):
    quote = make_sent(work, promises)
    handler = handlers.MailQuote(outbox, "https://crm.example", tmp_path)
    deliver(handler, work, sent_event(quote))
    deliver(handler, work, sent_event(quote))
    first, second = outbox.mails
    assert first.message_id == second.message_id
    assert first.attachments[0].name == f"{quote.no}-A.pdf"
    assert first.attachments[0].content.startswith(b"%PDF")
    assert f"https://crm.example/portal/quotes/{quote.no}" in first.text
    kept = work.session.scalars(sa.select(StoredFile)).all()
    assert [(f.subject, f.subject_id, f.kind, f.internal) for f in kept] == [
        ("quote", quote.id, "quote", False)
    ]


def test_a_superseded_quote_is_not_mailed_any_more(work, promises, outbox, tmp_path):
    quote = make_sent(work, promises)
    actions.revise(work, quote.id, promises=promises)
    handler = handlers.MailQuote(outbox, "https://crm.example", tmp_path)
    assert deliver(handler, work, sent_event(quote)) is None
    assert outbox.mails == []


def test_the_owner_hears_of_an_inquiry_from_the_portal(work, outbox):
    make_site(work)
    owner = make_owner(work)
    account = make_account(work, owner_id=owner.id)
    work.actor = buyer(account)
    inquiry = actions.create_inquiry(work, wishes=[], text="Two <b>gearboxes</b>", subject="RFQ")
    event = events.InquiryReceived(
        subject_id=inquiry.id, account_id=account.id, no=inquiry.no, channel="portal", line_count=0
    )
    deliver(handlers.MailSalesOwner(outbox, "https://crm.example"), work, event)
    (mail,) = outbox.mails
    assert mail.to == (owner.email,)
    assert inquiry.no in mail.subject
    assert "Two <b>gearboxes</b>" in mail.text
    assert "Two &lt;b&gt;gearboxes&lt;/b&gt;" in mail.html
    assert f"https://crm.example/inquiries/{inquiry.no}" in mail.text


def test_the_owner_hears_of_the_customers_no_but_not_of_his_own(work, promises, outbox):
    owner = make_owner(work)
    quote = make_sent(work, promises, owner_id=owner.id)
    handler = handlers.MailSalesOwner(outbox, "https://crm.example")
    facts = {"subject_id": quote.id, "account_id": quote.account_id, "no": quote.no}
    reason = {"label": quote.label, "reason": "price", "reason_text": "price"}
    own = events.QuoteLost(**facts, **reason, by_customer=False)
    assert deliver(handler, work, own) is None
    work.actor = buyer(queries.facts_of(work, quote).account)
    actions.decline(work, quote.id, reason=LossReason.PRICE, comment="dear", promises=promises)
    deliver(handler, work, events.QuoteLost(**facts, **reason, by_customer=True))
    assert "dear" in outbox.mails[0].text


def test_a_quote_without_owner_tells_nobody(work, promises, outbox):
    quote = make_sent(work, promises)
    event = events.QuoteAccepted(
        subject_id=quote.id,
        account_id=quote.account_id,
        no=quote.no,
        label=quote.label,
        by_name="J",
        order_no="SO-1",
    )
    assert deliver(handlers.MailSalesOwner(outbox, ""), work, event) is None
