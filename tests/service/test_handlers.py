"""The mails that follow from a case: to whom, in which language, and what is never in them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from b2bcrm.kernel.actor import SYSTEM
from b2bcrm.service import actions, events, handlers
from b2bcrm.service.lifecycle import CaseCause, CaseKind
from tests.service.conftest import SERVICE

pytestmark = pytest.mark.db


class Postbox:
    """Keeps what it is given."""

    def __init__(self):
        self.mails = []

    def send(self, mail):
        self.mails.append(mail)


def deliver(work, kind, event):
    """The mail that this handler would send for this event, or None."""
    box = Postbox()
    handler = kind(box, "https://crm.example")
    before, work.actor = work.actor, SYSTEM
    mail = handler.prepare(work, type(event).from_json(event.to_json()))
    work.actor = before
    if mail is not None:
        handler.record(work, event, handler.send(mail, again=False))
        assert box.mails == [mail]
    return mail


def facts(case):
    return {"subject_id": case.id, "account_id": case.account_id, "no": case.no}


def test_the_service_desk_hears_of_a_case_that_a_customer_opened(work, case, order):
    event = events.CaseOpened(**facts(case), title=case.subject, by_customer=True)
    mail = deliver(work, handlers.CaseOpenedMail, event)
    assert mail.to == ("sales@formosa.example",)
    assert mail.subject == f"New case {case.no}: Noise at 2,800 rpm"
    for text in (case.no, order.no, "Complaint", f"https://crm.example/service/{case.no}"):
        assert text in mail.text


def test_nobody_is_told_what_our_own_people_typed(work, case):
    event = events.CaseOpened(**facts(case), title="x", by_customer=False)
    assert deliver(work, handlers.CaseOpenedMail, event) is None


@pytest.mark.parametrize(("language", "words"), [("en", "Our answer"), ("fr", "Our answer")])
def test_an_answer_reaches_the_contact_with_a_link(work, account, case, language, words):
    contact = account.contacts[0]
    contact.language = language
    case.contact_id = contact.id
    message = actions.answer(work, case.id, "Dear\nJonas <b>", expected_version=None)
    mail = deliver(
        work, handlers.CaseAnswerMail, events.CaseAnswered(**facts(case), message_id=message.id)
    )
    assert mail.to == (contact.email,)
    assert mail.subject == f"{words} to case {case.no}: Noise at 2,800 rpm"
    assert "Dear\nJonas <b>" in mail.text
    assert "Jonas &lt;b&gt;" in mail.html
    assert f"https://crm.example/portal/cases/{case.no}" in mail.text
    assert mail.reply_to == "sales@formosa.example"


def test_a_question_asks_for_a_reply(work, case):
    message = actions.ask_customer(work, case.id, "Which motor?", expected_version=None)
    event = events.CaseAnswered(**facts(case), message_id=message.id, asking=True)
    mail = deliver(work, handlers.CaseAnswerMail, event)
    assert mail.subject.startswith(f"Our question on case {case.no}")
    assert "We need your reply to go on" in mail.text


def test_the_solution_mail_holds_neither_the_cause_nor_a_note(work, case):
    actions.note(work, case.id, "CANARY-NOTE")
    actions.solve(
        work, case.id, solution="Align it.", cause=CaseCause.ASSEMBLY, expected_version=None
    )
    message_id = max(e.message_id for e in published(work, events.CaseSolved))
    event = events.CaseSolved(
        **facts(case), message_id=message_id, cause=events.Message("CANARY-CAUSE")
    )
    mail = deliver(work, handlers.CaseSolvedMail, event)
    assert "Align it." in mail.text
    assert "closes after five working days" in mail.text
    for secret in ("CANARY", "Assembly"):
        assert secret not in mail.text + mail.html + mail.subject


def published(work, kind):
    import sqlalchemy as sa

    work.session.flush()
    rows = work.session.execute(
        sa.text("SELECT payload FROM outbox WHERE event = :name"), {"name": kind.name}
    ).scalars()
    import json

    return [kind.from_json(row if isinstance(row, dict) else json.loads(row)) for row in rows]


def test_the_same_delivery_again_carries_the_same_message_id(work, case):
    message = actions.answer(work, case.id, "Hello", expected_version=None)
    event = events.CaseAnswered(**facts(case), message_id=message.id)
    first, second = (deliver(work, handlers.CaseAnswerMail, event) for _ in range(2))
    assert first == second
    other = actions.answer(work, case.id, "More", expected_version=None)
    third = deliver(
        work, handlers.CaseAnswerMail, events.CaseAnswered(**facts(case), message_id=other.id)
    )
    assert third.message_id != first.message_id


def test_without_any_address_there_is_no_mail(work, account, line):
    account.contacts[0].email = ""
    work.actor = SERVICE
    case = actions.open_case(
        work, line.id, kind=CaseKind.REPAIR, subject="s", text="t", affected_qty=Decimal(1)
    )
    message = actions.answer(work, case.id, "Hello", expected_version=None)
    event = events.CaseAnswered(**facts(case), message_id=message.id)
    assert deliver(work, handlers.CaseAnswerMail, event) is None


def test_every_event_has_words_and_comes_back_from_json(case):
    import datetime as dt

    samples = {
        "title": "t", "by_customer": True, "message_id": 1, "note_id": 1, "owner": "x",
        "cause": events.Message("Material"), "by": "system", "clock": "answer", "level": "late",
        "due_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    }  # fmt: skip
    for kind in events.EVENTS:
        needed = {n: v for n, v in samples.items() if n in kind.__dataclass_fields__}
        event = kind(**facts(case), **needed)
        assert kind.from_json(event.to_json()) == event
        assert str(event.sentence())
