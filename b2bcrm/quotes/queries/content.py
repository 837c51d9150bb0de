"""From rows to what the customer sees: the frozen content of a quote, in its own language."""

from __future__ import annotations

from b2bcrm.documents.contents import (
    Customer,
    Line,
    QuoteContent,
    Step,
    Terms,
    firm_of,
    from_json,
    second_name,
)
from b2bcrm.documents.environment import known_locale
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.quotes.models import Quote, QuoteLine
from b2bcrm.quotes.queries.facts import Facts


def content_of(work: Work, facts: Facts) -> QuoteContent:
    """What the customer would see if the quote were sent now."""
    quote, account = facts.quote, facts.account
    locale = known_locale(quote.doc_language)
    ship_to = facts.ship_to
    return QuoteContent(
        no=quote.no,
        revision=quote.letter,
        language=locale,
        issued_on=work.today,
        valid_until=quote.valid_until,
        held_until=quote.held_until,
        inquiry_no=facts.inquiry.no if facts.inquiry else "",
        inquired_on=facts.inquiry.received_at.astimezone(HOME_ZONE).date()
        if facts.inquiry
        else None,
        currency=quote.currency,
        firm=firm_of(facts.company, locale),
        customer=Customer(
            name=account.name,
            address=account.full_address,
            tax_id=account.tax_id,
            contact=facts.contact.name if facts.contact else "",
            contact_role=facts.contact.role if facts.contact else "",
            ship_to=ship_to.full_address if ship_to else "",
        ),
        clerk=facts.owner.name if facts.owner else "",
        lines=tuple(_line(facts, line, locale) for line in quote.lines),
        terms=Terms(
            incoterm=quote.incoterm,
            incoterm_place=quote.incoterm_place,
            payment=quote.payment_terms,
            partial_delivery=account.partial_delivery,
            note=quote.note,
        ),
        total=quote.total,
    )


def _line(facts: Facts, line: QuoteLine, locale: str) -> Line:
    item = facts.items[line.item_id]
    name = item.name_in(locale)
    return Line(
        line_no=line.line_no,
        item_no=item.no,
        name=name,
        name_second=second_name(name, item.name, locale),
        spec=item.spec,
        customer_part_no=line.customer_part_no,
        qty=line.qty,
        unit=line.unit,
        unit_price=line.list_price,
        discount_pct=line.discount_pct,
        net=line.net,
        wanted_on=line.wanted_on,
        ready_on=line.promised_on,
        steps=tuple(
            Step(min_qty=step.min_qty, price=step.unit_price) for step in facts.steps(line.item_id)
        ),
    )


def sealed_content(quote: Quote) -> QuoteContent:
    """What the customer saw; NotFound for a revision that was never sent."""
    if quote.sealed_content is None:
        raise not_found(Message("This quote"))
    return from_json(QuoteContent, quote.sealed_content)
