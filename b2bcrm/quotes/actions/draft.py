"""What all acts on a draft share: load it, price it again, ask for its dates again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

from sqlalchemy.orm.attributes import flag_modified

from b2bcrm.catalog.models import Item
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.money import round_to
from b2bcrm.kernel.versions import check_version
from b2bcrm.kernel.work import Work
from b2bcrm.ports.promise import Answer, AskLine, Mode, Promising
from b2bcrm.quotes import queries
from b2bcrm.quotes.lifecycle import QuoteAct, after
from b2bcrm.quotes.models import Quote, QuoteLine
from b2bcrm.quotes.pricing import PRICE_PLACES, break_for
from b2bcrm.quotes.queries import Facts


@contextmanager
def at_field(name: str) -> Iterator[None]:
    """Put the sentence of an Invalid raised inside at the field ``name``."""
    try:
        yield
    except Invalid as error:
        if error.fields:
            raise
        fields = {name: error.message}
        raise Invalid(error.message, code=error.code, fields=fields) from None


def touch(work: Work, quote: Quote) -> None:
    """Remember who changed it last; the version grows even if only a line changed."""
    quote.changed_at, quote.changed_by = work.now, work.actor.name
    flag_modified(quote, "changed_at")


def load_draft(work: Work, quote_id: int, expected_version: int | None) -> Quote:
    """The draft to edit; IllegalAct once it was sent."""
    work.actor.must(Right.QUOTE)
    quote = queries.by_id(work, quote_id)
    check_version(quote, expected_version, now=work.now)
    after(quote.state, QuoteAct.EDIT)
    return quote


def ask_lines(quote: Quote) -> list[AskLine]:
    """The quote's lines as wishes for dates; ``ref`` is the line number."""
    return [
        AskLine(
            ref=str(line.line_no),
            item_id=line.item_id,
            qty=line.qty,
            wanted_on=line.wanted_on,
            site_id=quote.site_id,
            account_id=quote.account_id,
        )
        for line in quote.lines
    ]


def take_dates(work: Work, quote: Quote, answers: Sequence[Answer]) -> None:
    """Write the answers to their lines."""
    by_ref = {answer.ref: answer for answer in answers}
    for line in quote.lines:
        answer = by_ref.get(str(line.line_no))
        if answer is not None:
            line.promised_on, line.promise_reason = answer.full_on, answer.reason
            line.checked_at = work.now


def new_line(line_no: int, item: Item, qty: Decimal, quote: Quote) -> QuoteLine:
    """A line of an item; its price and cost come with ``settle``."""
    return QuoteLine(
        line_no=line_no,
        item_id=item.id,
        description=item.name_in(quote.doc_language)[:300],
        unit=item.unit,
        qty=qty,
        list_price=Decimal(0),
        discount_pct=Decimal(0),
    )


def settle(work: Work, quote: Quote, promises: Promising) -> Facts:
    """Prices from list and break, costs, totals and dates of a changed draft."""
    work.session.flush()  # flush: the facts are read by a statement
    facts = queries.facts_of(work, quote)
    base = facts.company.currency
    rates = queries.rates(work, base)
    for line in quote.lines:
        item = facts.items[line.item_id]
        step = break_for(facts.steps(line.item_id), line.qty)
        if step is not None:
            line.list_price = step.unit_price
        to_base = rates.get(item.cost_currency, Decimal(1))
        line.unit_cost = round_to(item.standard_cost * to_base, PRICE_PLACES)
    quote.add_up()
    if quote.lines:
        take_dates(work, quote, promises.ask(ask_lines(quote), Mode.QUOTE))
    touch(work, quote)
    work.bump(f"quote:{quote.id}")
    return facts
