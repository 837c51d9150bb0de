"""Opening a case on a delivered line, and taking or handing it over."""

from __future__ import annotations

from decimal import Decimal

from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Invalid, Refused
from b2bcrm.kernel.numbering import next_number
from b2bcrm.kernel.quantity import check_qty
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import OrderLine
from b2bcrm.orders.queries import line_by_id
from b2bcrm.service import clocks, events, queries
from b2bcrm.service.actions.loading import facts, load, touch
from b2bcrm.service.lifecycle import CaseKind, CaseState
from b2bcrm.service.models import Case
from b2bcrm.threads.actions import clean_text, post_message

MAX_SUBJECT = 200
MAX_SERIALS = 300


def open_case(
    work: Work,
    line_id: int,
    *,
    kind: CaseKind,
    subject: str,
    text: str,
    affected_qty: Decimal | None = None,
    serial_nos: str = "",
    urgent: bool = False,
    contact_id: int | None = None,
) -> Case:
    """A case on a line of which something is delivered; both clocks start now.

    ``text`` becomes the first message of the conversation. Without a quantity only a question
    can be opened. The customer's own login decides his contact; staff may name one.
    """
    if not work.actor.is_portal:
        work.actor.must(Right.SERVE)
    line = line_by_id(work, line_id)
    order = line.order
    if line.delivered_qty <= 0:
        raise Refused(
            Message("Nothing of this line is delivered yet, so there is no case to open."),
            code="not_delivered",
        )
    qty = _affected(line, kind, affected_qty)
    text = clean_text(text)
    calendar = queries.service_calendar(work.session, order.site_id)
    case = Case(
        no=next_number(work.session, "CS", work.today.year),
        company_id=order.company_id,
        account_id=order.account_id,
        contact_id=queries.contact_for(work, order.account_id, contact_id),
        order_id=order.id,
        order_line_id=line.id,
        opened_by_id=work.actor.user_id,
        kind=kind,
        state=CaseState.OPEN,
        urgent=urgent,
        subject=_line(subject, MAX_SUBJECT, "subject", needed=True),
        affected_qty=qty,
        serial_nos=_line(serial_nos, MAX_SERIALS, "serial_nos", needed=False),
        opened_at=work.now,
        answer_due_at=clocks.instant_after(calendar, work.now, clocks.ANSWER_WITHIN),
        solve_due_at=clocks.instant_after(calendar, work.now, clocks.SOLVE_WITHIN),
        pauses=[],
    )
    touch(work, case)
    work.session.add(case)
    work.session.flush()  # the first message needs the case's id
    post_message(work, subject="case", subject_id=case.id, account_id=case.account_id, text=text)
    work.publish(
        events.CaseOpened(**facts(case), title=case.subject, by_customer=work.actor.is_portal)
    )
    return case


def _affected(line: OrderLine, kind: CaseKind, qty: Decimal | None) -> Decimal | None:
    if qty is None:
        if kind is CaseKind.QUESTION:
            return None
        raise _wrong("affected_qty", Message("Say how many pieces are affected."))
    try:
        check_qty(qty, line.unit)
    except Invalid as error:
        raise _wrong("affected_qty", error.message) from None
    if qty > line.delivered_qty:
        raise _wrong(
            "affected_qty",
            Message("Only %(qty)s of this line are delivered.", qty=line.delivered_qty),
        )
    return qty


def _line(text: str, longest: int, field: str, *, needed: bool) -> str:
    """One line of text with single blanks."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text[:10_000]).split())
    if needed and not words:
        raise _wrong(field, Message("This field is needed."))
    if len(words) > longest:
        raise _wrong(field, Message("At most %(n)s characters.", n=longest))
    return words


def _wrong(field: str, message: Message) -> Invalid:
    return Invalid(message, fields={field: message})


def take(work: Work, case_id: int, *, expected_version: int | None) -> Case:
    """The actor becomes the owner."""
    work.actor.must(Right.SERVE)
    case = load(work, case_id, expected_version)
    return _give(work, case, work.actor.user_id, work.actor.name)


def hand_over(work: Work, case_id: int, owner_id: int, *, expected_version: int | None) -> Case:
    """Another colleague of the service becomes the owner."""
    work.actor.must(Right.SERVE)
    case = load(work, case_id, expected_version)
    name = dict(queries.possible_owners(work)).get(owner_id)
    if name is None:
        raise _wrong("owner_id", Message("This person cannot own a case."))
    return _give(work, case, owner_id, name)


def _give(work: Work, case: Case, owner_id: int | None, owner: str) -> Case:
    if case.state is CaseState.CLOSED:
        raise Refused(Message("The case is closed."), code="case_closed")
    if case.owner_id != owner_id or owner_id is None:
        case.owner_id = owner_id
        touch(work, case)
        work.publish(events.CaseTaken(**facts(case), owner=owner))
    return case
