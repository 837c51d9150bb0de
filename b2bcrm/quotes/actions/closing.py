"""How a quote ends: accepted (an order is born), lost, or expired; and that it was opened."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from b2bcrm.documents.contents import digest_of
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Conflict, Invalid, Refused
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import actions as orders
from b2bcrm.orders import queries as order_queries
from b2bcrm.orders.models import Order, Origin
from b2bcrm.ports.promise import Promising, date_moved
from b2bcrm.quotes import events, queries
from b2bcrm.quotes.actions.draft import ask_lines, check_version, touch
from b2bcrm.quotes.actions.sending import FAR
from b2bcrm.quotes.lifecycle import LOSS_WORDS, LossReason, QuoteAct, QuoteState, after
from b2bcrm.quotes.models import Quote

OPENED_EVERY = dt.timedelta(minutes=1)


def accept(
    work: Work,
    quote_id: int,
    *,
    seal: str,
    name: str,
    promises: Promising,
    customer_po: str = "",
) -> Order:
    """The customer signs what he saw; sales may do it on his behalf. Exactly one order is born.

    Accepting the accepted revision again answers the same order. Refused with a code:
    ``superseded``, ``expired``, ``seal`` (the form showed something else), ``date_moved`` (a
    sealed date no longer stands: the caller makes a new revision with ``reoffer``).
    """
    if not work.actor.is_portal:
        work.actor.must(Right.QUOTE)
    if not name.strip():
        message = Message("This field is needed.")
        raise Invalid(message, fields={"name": message})
    quote = queries.by_id(work, quote_id, for_update=True)
    if quote.state is QuoteState.ACCEPTED:
        earlier = order_queries.by_quote(work.session, quote.id)
        if earlier is not None and seal == quote.seal:
            return earlier
    _must_stand(work, quote, seal)
    order = orders.open_order(work, _draft_order(quote, customer_po.strip()))
    _take_over_dates(quote, order, promises)
    _sign(work, quote, name.strip(), customer_po.strip())
    work.publish(
        events.QuoteAccepted(
            subject_id=quote.id,
            account_id=quote.account_id,
            order_id=order.id,
            no=quote.no,
            label=quote.label,
            by_name=quote.accepted_by,
            order_no=order.no,
            customer_po=quote.customer_po,
        )
    )
    work.bump("quotes")
    orders.confirm_by_rule(work, order, promises=promises)
    return order


def _must_stand(work: Work, quote: Quote, seal: str) -> None:
    if quote.state is QuoteState.SUPERSEDED or not quote.current:
        raise Refused(
            Message("A newer revision of this quotation exists. Please look at that one."),
            code="superseded",
        )
    if quote.state is QuoteState.EXPIRED or quote.valid_until < work.today:
        raise Refused(
            Message(
                "This quotation was valid until %(day)s. Please ask us for a new one.",
                day=quote.valid_until,
            ),
            code="expired",
        )
    after(quote.state, QuoteAct.ACCEPT)
    if not quote.seal or seal != quote.seal or digest_of(quote.sealed_content) != quote.seal:
        raise Refused(
            Message("What you saw is not what this quotation says. Load the page again."),
            code="seal",
        )


def _draft_order(quote: Quote, customer_po: str) -> orders.OrderDraft:
    sealed = queries.sealed_content(quote)
    return orders.OrderDraft(
        account_id=quote.account_id,
        contact_id=quote.contact_id,
        ship_to_id=quote.ship_to_id,
        company_id=quote.company_id,
        site_id=quote.site_id,
        quote_id=quote.id,
        owner_id=quote.owner_id,
        origin=Origin.QUOTE,
        customer_po=(customer_po or quote.customer_po)[:60],
        currency=quote.currency,
        rate=quote.rate,
        incoterm=quote.incoterm,
        incoterm_place=quote.incoterm_place,
        payment_terms=quote.payment_terms,
        partial_delivery=sealed.terms.partial_delivery,
        note=quote.note,
        source_no=quote.label,
        lines=tuple(
            orders.OrderDraftLine(
                line_no=line.line_no,
                item_id=line.item_id,
                description=line.description,
                customer_part_no=line.customer_part_no,
                unit=line.unit,
                qty=line.qty,
                unit_price=line.list_price,
                discount_pct=line.discount_pct,
                requested_on=line.wanted_on,
                promised_on=line.promised_on,
            )
            for line in quote.lines
        ),
    )


def _take_over_dates(quote: Quote, order: Order, promises: Promising) -> None:
    """The hold becomes the order's; after the hold the dates are asked again and must stand."""
    sealed = {str(line.line_no): line.promised_on or FAR for line in quote.lines}
    answers = promises.convert(quote.hold_ref, order.no, ask_lines(quote))
    if any(a.full_on is None or a.full_on > sealed.get(a.ref, FAR) for a in answers):
        raise date_moved(answers, sealed)


def _sign(work: Work, quote: Quote, name: str, customer_po: str) -> None:
    quote.state = after(quote.state, QuoteAct.ACCEPT)
    quote.accepted_at = quote.closed_at = work.now
    quote.accepted_by = name[:120]
    quote.accepted_user_id = work.actor.user_id
    quote.customer_po = (customer_po or quote.customer_po)[:60]
    touch(work, quote)


def decline(
    work: Work, quote_id: int, *, reason: LossReason, promises: Promising, comment: str = ""
) -> Quote:
    """The customer says no, with his reason."""
    quote = queries.by_id(work, quote_id, for_update=True)
    if not quote.current:
        raise Conflict(Message("A newer revision of this quotation exists."), code="superseded")
    _lose(work, quote, promises, reason=reason, competitor="", comment=comment)
    return quote


def mark_lost(
    work: Work,
    quote_id: int,
    *,
    reason: LossReason,
    promises: Promising,
    competitor: str = "",
    comment: str = "",
    expected_version: int | None = None,
) -> Quote:
    """Sales notes that it will not become an order, why, and to whom it was lost."""
    work.actor.must(Right.QUOTE)
    quote = queries.by_id(work, quote_id, for_update=True)
    check_version(quote, expected_version, work)
    _lose(work, quote, promises, reason=reason, competitor=competitor, comment=comment)
    return quote


def _lose(
    work: Work,
    quote: Quote,
    promises: Promising,
    *,
    reason: LossReason,
    competitor: str,
    comment: str,
) -> None:
    quote.state = after(quote.state, QuoteAct.LOSE)
    quote.closed_at = work.now
    quote.loss_reason = reason.value
    quote.competitor = competitor.strip()[:80]
    quote.loss_comment = comment.strip()[:2000]
    touch(work, quote)
    promises.release(quote.hold_ref)
    work.publish(
        events.QuoteLost(
            subject_id=quote.id,
            account_id=quote.account_id,
            no=quote.no,
            label=quote.label,
            reason=reason.value,
            reason_text=LOSS_WORDS[reason],
            by_customer=work.actor.is_portal,
            comment=quote.loss_comment,
        )
    )
    work.bump("quotes")


def expire(work: Work, *, promises: Promising, limit: int = 100) -> int:
    """The job: sent revisions whose last valid day is over. Answers how many; call until 0."""
    due = queries.due_to_expire(work.session, work.today, limit)
    for quote in due:
        quote.state = after(quote.state, QuoteAct.EXPIRE)
        quote.closed_at = work.now
        touch(work, quote)
        promises.release(quote.hold_ref)
        work.publish(
            events.QuoteExpired(
                subject_id=quote.id,
                account_id=quote.account_id,
                no=quote.no,
                label=quote.label,
                valid_until=quote.valid_until,
            )
        )
    if due:
        work.bump("quotes")
    return len(due)


def mark_opened(work: Work, quote_id: int) -> bool:
    """Note that the customer looks at it, at most once a minute; False if it was just noted.

    The first time is a fact on the timeline. The version stays, so that nobody's form gets old.
    """
    quote = queries.by_id(work, quote_id)
    if not work.actor.is_portal or quote.state is not QuoteState.SENT:
        return False
    if quote.opened_at is not None and work.now - quote.opened_at < OPENED_EVERY:
        return False
    noted = work.session.scalar(
        sa.update(Quote)
        .where(Quote.id == quote.id, Quote.opened_at.is_not_distinct_from(quote.opened_at))
        .values(opened_at=work.now)
        .returning(Quote.id)
        .execution_options(synchronize_session=False)
    )
    if noted is None:  # somebody else of the account opened it in the same moment
        return False
    if quote.opened_at is None:
        work.publish(
            events.QuoteOpened(
                subject_id=quote.id,
                account_id=quote.account_id,
                no=quote.no,
                label=quote.label,
            )
        )
    return True
