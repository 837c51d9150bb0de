"""The customer's quotations: the list, one as it was sealed, its PDF, his yes or no.

Only sealed content is shown: no margin, no cost, no draft, nothing internal has a way here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from b2bcrm.documents.contents import QuoteContent
from b2bcrm.documents.environment import show_price
from b2bcrm.kernel.money import Money, digits
from b2bcrm.kernel.timeline import history
from b2bcrm.kernel.words import Message, show_decimal
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries as order_queries
from b2bcrm.quotes import actions, queries, schemas
from b2bcrm.quotes.actions.closing import OPENED_EVERY
from b2bcrm.quotes.lifecycle import LOSS_WORDS, STATUS, LossReason, QuoteState
from b2bcrm.quotes.models import Quote
from b2bcrm.quotes.queries import Opened, QuoteRow
from b2bcrm.quotes.views import answer_pdf, promises, sign
from b2bcrm.web.answers import see_other
from b2bcrm.web.export import Column, export
from b2bcrm.web.forms import Form, read_form
from b2bcrm.web.locale import say
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import After, in_work, reading, stop_reading, writing

bp = Blueprint("portal_quotes", __name__, template_folder="templates", url_prefix="/portal/quotes")

PER_PAGE = 25
WORDS = {
    QuoteState.SENT: Message("waiting for you"),
    QuoteState.ACCEPTED: Message("accepted"),
    QuoteState.LOST: Message("declined"),
    QuoteState.EXPIRED: Message("expired"),
    QuoteState.SUPERSEDED: Message("being revised"),
}
DECLINE_REASONS = (
    LossReason.PRICE,
    LossReason.DATE,
    LossReason.TECHNICAL,
    LossReason.COMPETITOR,
    LossReason.CANCELLED,
    LossReason.OTHER,
)
COLUMNS: tuple[Column[QuoteRow], ...] = (
    Column(Message("Quotation"), lambda r: r.no),
    Column(Message("Revision"), lambda r: r.letter),
    Column(Message("State"), lambda r: WORDS.get(r.state, Message("in preparation"))),
    Column(Message("Total"), lambda r: r.total),
    Column(Message("Currency"), lambda r: r.currency),
    Column(Message("Sent"), lambda r: r.sent_at),
    Column(Message("Valid until"), lambda r: r.valid_until),
    Column(Message("All lines ready"), lambda r: r.ready_on),
)


def quote_url(no: str) -> str:
    """The customer's page of a quotation."""
    return f"/portal/quotes/{no}"


def order_url(no: str) -> str:
    """The customer's page of an order."""
    return f"/portal/orders/{no}"


@bp.get("")
@in_work(read_only=True)
def quotes(work: Work) -> ResponseReturnValue | After:
    """The account's quotations, each at its last sent revision."""
    wish = asked(
        sorts=("created", "valid"), default="-created", filters=("q", "state"), per_page=PER_PAGE
    )
    rows, total = queries.quote_list(
        work,
        words=wish.get("q"),
        state=wish.get("state"),
        sort=wish.sort,
        descending=wish.descending,
        offset=wish.offset,
        limit=wish.limit,
    )
    if wish.format:
        return export(rows, COLUMNS, wish.format, "quotations")
    return render_template(
        "portal/quotes.html", listing=Listing(rows, total, wish), WORDS=WORDS, STATUS=STATUS
    )


@dataclass(frozen=True)
class Shown:
    """What the template gets: the sealed content and the few facts about its life."""

    id: int
    content: QuoteContent
    seal: str
    state: QuoteState
    open: bool
    expired: bool
    accepted_by: str
    accepted_at: Any
    revisions: tuple[tuple[str, bool], ...]
    newer: str
    being_revised: bool
    order_no: str

    @property
    def total(self) -> Money:
        """The total with its currency."""
        return Money(self.content.total, self.content.currency)


@bp.get("/<no>")
def quote(no: str) -> ResponseReturnValue:
    """One quotation; ``?rev=A`` shows an earlier revision. That it was opened is noted."""
    work = reading()
    opened = queries.opened(work, no, revision=request.args.get("rev", ""))
    row, quote_id = opened.quote, opened.quote.id
    answer = _page(work, opened, None)
    due = row.state is QuoteState.SENT and (
        row.opened_at is None or work.now - row.opened_at >= OPENED_EVERY
    )
    stop_reading()
    if due:
        with writing() as short:
            actions.mark_opened(short, quote_id)
    return answer


def _page(work: Work, opened: Opened, form: Form | None) -> str:
    row = opened.quote
    order = None
    if row.state is QuoteState.ACCEPTED:
        order = order_queries.by_quote(work.session, row.id)
    over = row.valid_until < work.today
    newest = opened.newest
    shown = Shown(
        id=row.id,
        content=queries.sealed_content(row),
        seal=row.seal,
        state=row.state,
        open=row.state is QuoteState.SENT and row.current and not over,
        expired=row.state is QuoteState.EXPIRED or (row.state is QuoteState.SENT and over),
        accepted_by=row.accepted_by,
        accepted_at=row.accepted_at,
        revisions=tuple((r.letter, r is row) for r in opened.revisions),
        newer=newest.letter if newest.rev > row.rev else "",
        being_revised=row.state is QuoteState.SUPERSEDED and newest is row,
        order_no=order.no if order else "",
    )
    return render_template(
        "portal/quote.html",
        s=shown,
        form=form,
        WORDS=WORDS,
        STATUS=STATUS,
        history=history(work.session, subject=("quote", row.id), portal=True),
        reasons=[(reason.value, say(LOSS_WORDS[reason])) for reason in DECLINE_REASONS],
        signer=work.actor.name,
        show_price=show_price,
        line_net=lambda line: show_decimal(line.net, digits(shown.content.currency)),
    )


@bp.get("/<int:quote_id>/pdf")
@in_work(read_only=True)
def document(work: Work, quote_id: int) -> After:
    """The sealed document."""
    return answer_pdf(work, queries.by_id(work, quote_id))


@bp.post("/<int:quote_id>/accept")
def accept(quote_id: int) -> ResponseReturnValue:
    """Sign what was shown. A date that no longer stands gives a new revision to sign instead."""
    form = read_form(schemas.AcceptSchema())
    if form.ok:
        return sign(quote_id, form.data, to_order=order_url, to_quote=quote_url)
    work = reading()
    row: Quote = queries.by_id(work, quote_id)
    return _page(work, queries.opened(work, row.no, revision=row.letter), form), 422


@bp.post("/<int:quote_id>/decline")
@in_work()
def decline(work: Work, quote_id: int) -> ResponseReturnValue:
    """No, and why."""
    form = read_form(schemas.DeclineSchema())
    form.raise_if_wrong()
    row = actions.decline(work, quote_id, promises=promises(work), **form.data)
    return see_other(quote_url(row.no), Message("Thank you for telling us."))
