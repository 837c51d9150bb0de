"""Sending a quote: rights and prices are checked, dates are held, and what is sent is sealed."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm.attributes import flag_modified

from b2bcrm.documents.contents import digest_of, to_json
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.organization import calendar_of
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.promise import Answer, PromiseMoved, Promising, date_moved
from b2bcrm.quotes import events, queries
from b2bcrm.quotes.actions.draft import ask_lines, check_version, take_dates, touch
from b2bcrm.quotes.lifecycle import QuoteAct, after
from b2bcrm.quotes.models import Quote
from b2bcrm.quotes.pricing import Objection, objections
from b2bcrm.quotes.queries import Facts

HOLD_DAYS = {"A": 3}  # working days for which dates are held, by customer class
DEFAULT_HOLD_DAYS = 2
FAR = dt.date.max


def objections_to(work: Work, quote: Quote) -> list[Objection]:
    """What keeps the actor from sending these prices; empty when he may."""
    return objections(quote.priced(), quote.currency, quote.rate, work.actor.role)


def send(
    work: Work, quote_id: int, *, promises: Promising, expected_version: int | None = None
) -> Quote:
    """Hold the dates, seal the content, and let the mail follow.

    Refused with a code: ``empty``, ``no_price``, ``no_date``, ``no_contact``, ``expired``,
    ``approval`` (a price that this person may not give), ``date_moved`` (a date got worse since
    it was shown: nothing is held; refresh and look again).
    """
    work.actor.must(Right.QUOTE)
    quote = queries.by_id(work, quote_id, for_update=True)
    check_version(quote, expected_version, work)
    after(quote.state, QuoteAct.SEND)
    found = objections_to(work, quote)
    if found:
        raise Refused(found[0].reason, code="approval")
    seal_and_send(work, quote, promises=promises)
    return quote


def seal_and_send(work: Work, quote: Quote, *, promises: Promising, any_date: bool = False) -> None:
    """The second half of ``send``; with ``any_date`` whatever dates there are now are taken."""
    work.session.flush()  # flush: the facts are read by a statement
    facts = queries.facts_of(work, quote)
    obstacle = _obstacle(work, facts, any_date=any_date)
    if obstacle is not None:
        raise obstacle
    quote.held_until = min(_hold_until(work, facts), quote.valid_until)
    take_dates(work, quote, _hold(quote, promises, any_date=any_date))
    quote.state = after(quote.state, QuoteAct.SEND)
    quote.sent_at = work.now
    quote.sealed_content = to_json(queries.content_of(work, facts))
    quote.seal = digest_of(quote.sealed_content)
    touch(work, quote)
    if facts.inquiry is not None and facts.inquiry.replied_at is None:
        facts.inquiry.replied_at = work.now
        flag_modified(facts.inquiry, "replied_at")
    work.publish(
        events.QuoteSent(
            subject_id=quote.id,
            account_id=quote.account_id,
            no=quote.no,
            label=quote.label,
            total=quote.total,
            currency=quote.currency,
            valid_until=quote.valid_until,
            held_until=quote.held_until,
        )
    )
    work.bump("quotes")


def _obstacle(work: Work, facts: Facts, *, any_date: bool) -> Refused | None:
    quote = facts.quote
    if not quote.lines:
        return Refused(Message("The quote has no lines yet."), code="empty")
    for line in quote.lines:
        if line.list_price <= 0:
            return Refused(
                Message("Line %(line)s has no price yet.", line=line.line_no), code="no_price"
            )
        if line.promised_on is None and not any_date:
            return Refused(
                Message("Line %(line)s has no ready date yet.", line=line.line_no), code="no_date"
            )
    if quote.valid_until < work.today:
        return Refused(Message("The last valid day has passed."), code="expired")
    if facts.contact is None or not facts.contact.email:
        return Refused(Message("The contact has no e-mail address."), code="no_contact")
    return None


def _hold_until(work: Work, facts: Facts) -> dt.date:
    days = HOLD_DAYS.get(facts.account.customer_class, DEFAULT_HOLD_DAYS)
    return calendar_of(work.session, facts.site.calendar_code).add_days(work.today, days)


def _hold(quote: Quote, promises: Promising, *, any_date: bool) -> tuple[Answer, ...]:
    shown = {str(ln.line_no): FAR if any_date else ln.promised_on or FAR for ln in quote.lines}
    until = quote.held_until or quote.valid_until
    try:
        answers = promises.hold(quote.hold_ref, ask_lines(quote), until, at_worst=shown)
    except PromiseMoved as moved:
        raise date_moved(moved.answers, shown) from None
    undated = next((answer for answer in answers if answer.full_on is None), None)
    if undated is not None:
        message = Message("Line %(line)s has no ready date yet.", line=undated.ref)
        raise Refused(message, code="no_date")
    return answers
