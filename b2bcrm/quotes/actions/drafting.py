"""How a draft comes to be: from an inquiry, from nothing, or as the next revision."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers import queries as customers
from b2bcrm.customers.models import Account, Contact
from b2bcrm.documents.environment import known_locale
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Conflict, IllegalAct, Refused
from b2bcrm.kernel.numbering import next_number
from b2bcrm.kernel.organization import Company, Site, calendar_of
from b2bcrm.kernel.versions import check_version
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.promise import Promising
from b2bcrm.quotes import events, queries
from b2bcrm.quotes.actions.draft import new_line, settle, touch
from b2bcrm.quotes.actions.sending import seal_and_send
from b2bcrm.quotes.lifecycle import InquiryState, QuoteAct, QuoteState, after
from b2bcrm.quotes.models import Inquiry, Quote, QuoteLine

VALID_DAYS = 30
DEFAULT_WEEKS = 4  # a wish without a date: ready in four weeks
COPIED = (
    *("no", "company_id", "site_id", "account_id", "contact_id", "ship_to_id", "inquiry_id"),
    *("owner_id", "currency", "rate", "incoterm", "incoterm_place", "payment_terms"),
    *("doc_language", "customer_po", "note", "win_pct", "decision_on"),
)
COPIED_LINE = (
    *("line_no", "item_id", "description", "customer_part_no", "unit", "qty", "list_price"),
    *("discount_pct", "unit_cost", "wanted_on", "promised_on", "promise_reason", "checked_at"),
)


def new_quote(
    work: Work,
    *,
    account_id: int,
    promises: Promising,
    contact_id: int | None = None,
    currency: str | None = None,
) -> Quote:
    """An empty draft with the account's terms. A prospect without an ERP number will do."""
    work.actor.must(Right.QUOTE)
    account = customers.by_id(work, account_id)
    if contact_id is not None:
        contact_id = customers.contact(work, account.id, contact_id).id
    quote = _begin(work, account, contact_id, currency=currency)
    settle(work, quote, promises)
    _publish_drafted(work, quote, "")
    return quote


def quote_from_inquiry(work: Work, inquiry_id: int, *, promises: Promising) -> Quote:
    """A draft that takes over all that is known; asked again, it answers the same draft.

    Wishes with an item and a quantity become lines; the others stay open for a person.
    """
    work.actor.must(Right.QUOTE)
    inquiry = queries.inquiry_by_id(work, inquiry_id)
    if inquiry.state is InquiryState.DECLINED:
        raise Conflict(Message("This inquiry has already been answered."), code="illegal_act")
    earlier = queries.quote_of_inquiry(work, inquiry.id)
    if earlier is not None:
        return earlier
    account = customers.by_id(work, inquiry.account_id)
    quote = _begin(work, account, inquiry.contact_id, inquiry=inquiry)
    _take_wishes(work, quote, inquiry)
    settle(work, quote, promises)
    inquiry.state = InquiryState.QUOTED
    _publish_drafted(work, quote, inquiry.no)
    return quote


def _begin(
    work: Work,
    account: Account,
    contact_id: int | None,
    *,
    currency: str | None = None,
    inquiry: Inquiry | None = None,
) -> Quote:
    company = work.session.get_one(Company, account.company_id)
    site = work.session.scalars(
        sa.select(Site).where(Site.company_id == company.id).order_by(Site.id).limit(1)
    ).first()
    if site is None:
        raise Refused(Message("No plant is set up for this company yet."), code="no_site")
    ship_tos = customers.ship_tos_of(work, account.id)
    contact = work.session.get(Contact, contact_id) if contact_id is not None else None
    if contact is None:
        contact = next(iter(customers.contacts_of(work, account.id)), None)
    money = currency or account.currency
    rate = queries.rates(work, company.currency).get(money)
    if rate is None:
        raise Refused(
            Message("There is no exchange rate for %(currency)s.", currency=money), code="no_rate"
        )
    quote = Quote(
        no=next_number(work.session, "Q", work.today.year),
        rev=0,
        current=True,
        company_id=company.id,
        site_id=site.id,
        account_id=account.id,
        contact_id=contact.id if contact else None,
        ship_to_id=ship_tos[0].id if ship_tos else None,
        inquiry_id=inquiry.id if inquiry else None,
        owner_id=work.actor.user_id or account.owner_id,
        state=QuoteState.DRAFT,
        currency=money,
        rate=rate,
        incoterm=account.incoterm,
        incoterm_place=account.incoterm_place,
        payment_terms=account.payment_terms,
        doc_language=known_locale((contact.language if contact else "") or account.language),
        created_at=work.now,
        valid_until=work.today + dt.timedelta(days=VALID_DAYS),
        lines=[],
    )
    work.session.add(quote)
    return quote


def _take_wishes(work: Work, quote: Quote, inquiry: Inquiry) -> None:
    ids = {wish.item_id for wish in inquiry.lines if wish.item_id is not None}
    items = {i.id: i for i in work.session.scalars(sa.select(Item).where(Item.id.in_(ids)))}
    otherwise = wanted_by_default(work, quote)
    for wish in inquiry.lines:
        if wish.item_id is not None and wish.qty is not None:
            line = new_line(wish.line_no, items[wish.item_id], wish.qty, quote)
            line.customer_part_no = wish.customer_part_no
            line.wanted_on = max(wish.wanted_on or otherwise, work.today)
            quote.lines.append(line)


def wanted_by_default(work: Work, quote: Quote) -> dt.date:
    """The quote's own last wish, else a working day in four weeks."""
    if quote.wanted_on is not None:
        return quote.wanted_on
    code = work.session.scalar(sa.select(Site.calendar_code).where(Site.id == quote.site_id))
    calendar = calendar_of(work.session, code or "")
    return calendar.next_working(work.today + dt.timedelta(weeks=DEFAULT_WEEKS))


def _publish_drafted(work: Work, quote: Quote, inquiry_no: str) -> None:
    work.publish(
        events.QuoteDrafted(
            subject_id=quote.id,
            account_id=quote.account_id,
            no=quote.no,
            label=quote.label,
            inquiry_no=inquiry_no,
        )
    )
    work.bump("quotes")


def revise(
    work: Work, quote_id: int, *, promises: Promising, expected_version: int | None = None
) -> Quote:
    """The next revision as a draft. The old one is superseded and its dates are free again."""
    work.actor.must(Right.QUOTE)
    old = queries.by_id(work, quote_id, for_update=True)
    check_version(old, expected_version, now=work.now)
    new = _next_revision(work, old, promises)
    settle(work, new, promises)
    return new


def _next_revision(work: Work, old: Quote, promises: Promising) -> Quote:
    if not old.current:
        raise IllegalAct(Message("A later revision of this quote exists already."))
    old.state = after(old.state, QuoteAct.REVISE)
    old.current = False
    old.closed_at = work.now
    touch(work, old)
    promises.release(old.hold_ref)
    work.session.flush()  # flush: one current revision per number at any moment
    facts = {name: getattr(old, name) for name in COPIED}
    new = Quote(
        **facts,
        rev=old.rev + 1,
        current=True,
        state=QuoteState.DRAFT,
        total=old.total,
        created_at=work.now,
        valid_until=max(old.valid_until, work.today + dt.timedelta(days=VALID_DAYS)),
        lines=[
            QuoteLine(**{name: getattr(line, name) for name in COPIED_LINE}) for line in old.lines
        ],
    )
    base = work.session.get_one(Company, new.company_id).currency
    new.rate = queries.rates(work, base).get(new.currency, new.rate)
    work.session.add(new)
    work.session.flush()  # flush: the event names the new revision
    work.publish(
        events.QuoteRevised(
            subject_id=old.id,
            account_id=old.account_id,
            no=old.no,
            label=old.label,
            by_label=new.label,
        )
    )
    work.bump("quotes")
    return new


def reoffer(work: Work, quote_id: int, *, promises: Promising) -> Quote:
    """The same offer with today's dates, sealed and sent at once, for the customer to sign.

    Called when an acceptance found that a sealed date no longer stands. Prices stay those of
    the sealed revision; a second call answers the revision that the first one made.
    """
    old = queries.by_id(work, quote_id, for_update=True)
    if not old.current:
        newer = queries.current_of(work, old.no)
        if newer is not None:
            return newer
    prices = {line.line_no: (line.list_price, line.unit_cost) for line in old.lines}
    new = _next_revision(work, old, promises)
    new.rate = old.rate
    new.valid_until = old.valid_until
    for line in new.lines:
        line.list_price, line.unit_cost = prices[line.line_no]
    new.add_up()
    seal_and_send(work, new, promises=promises, any_date=True)
    return new
