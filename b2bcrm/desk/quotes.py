"""The list of quotes and the acts on a whole quote: begin, send, revise, lose, accept for him."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from b2bcrm.customers import queries as customers
from b2bcrm.customers.models import Account
from b2bcrm.desk.links import order_url, quote_url
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.quotes import actions, queries, schemas
from b2bcrm.quotes.lifecycle import STATE_WORDS, STATUS
from b2bcrm.quotes.queries import QuoteRow
from b2bcrm.quotes.queries.lists import QUOTE_SORTS
from b2bcrm.quotes.views import promises, sign, version
from b2bcrm.web.answers import see_other
from b2bcrm.web.export import Column, export
from b2bcrm.web.forms import Form, read_form
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import After, in_work, writing

bp = Blueprint("desk_quotes", __name__, template_folder="templates", url_prefix="/quotes")

MOST_ACCOUNTS = 500
COLUMNS: tuple[Column[QuoteRow], ...] = (
    Column(Message("Quote"), lambda r: r.no),
    Column(Message("Revision"), lambda r: r.letter),
    Column(Message("Customer"), lambda r: r.account_name),
    Column(Message("State"), lambda r: STATE_WORDS[r.state]),
    Column(Message("Total"), lambda r: r.total),
    Column(Message("Currency"), lambda r: r.currency),
    Column(Message("Win chance, %%"), lambda r: r.win_pct),
    Column(Message("Begun"), lambda r: r.created_at),
    Column(Message("Sent"), lambda r: r.sent_at),
    Column(Message("Opened by customer"), lambda r: r.opened_at),
    Column(Message("Valid until"), lambda r: r.valid_until),
    Column(Message("Wanted"), lambda r: r.wanted_on),
    Column(Message("All lines ready"), lambda r: r.ready_on),
    Column(Message("Owner"), lambda r: r.owner_name),
)


@bp.get("")
@in_work(read_only=True)
def page(work: Work) -> ResponseReturnValue | After:
    """Current revisions: the open ones unless the reader asks for others."""
    wish = asked(sorts=QUOTE_SORTS, default="-created", filters=("q", "state", "mine"))
    state = wish.get("state", "open")
    owner = work.actor.user_id if wish.get("mine") else None
    rows, total = queries.quote_list(
        work,
        words=wish.get("q"),
        state="" if state == "all" else state,
        owner_id=owner,
        sort=wish.sort,
        descending=wish.descending,
        offset=wish.offset,
        limit=wish.limit,
    )
    if wish.format:
        return export(rows, COLUMNS, wish.format, "quotes")
    return render_template(
        "desk/quotes.html",
        listing=Listing(rows, total, wish),
        counts=queries.counts_by_state(work, owner_id=owner),
        STATE_WORDS=STATE_WORDS,
        STATUS=STATUS,
        may_quote=work.actor.may(Right.QUOTE),
    )


@bp.get("/new")
@in_work(read_only=True)
def new(work: Work) -> ResponseReturnValue:
    """Whom the quote is for."""
    return _new_form(work, None)


def _new_form(work: Work, form: Form | None) -> str:
    chosen = request.args.get("account", "")
    return render_template(
        "desk/quote_new.html", form=form, accounts=account_options(work), chosen=chosen
    )


def account_options(work: Work) -> list[tuple[str, str]]:
    """Accounts to choose from, by name."""
    query = (
        sa.select(Account.id, Account.name, Account.erp_id)
        .where(Account.id.in_(customers.visible_ids(work.actor)))
        .order_by(Account.name)
        .limit(MOST_ACCOUNTS)
    )
    rows = work.session.execute(query)
    return [("", ""), *((str(i), f"{name} · {erp}" if erp else name) for i, name, erp in rows)]


@bp.post("")
@in_work()
def create(work: Work) -> ResponseReturnValue:
    """Begin a quote without an inquiry."""
    form = read_form(schemas.NewQuoteSchema())
    if form.ok:
        with form.catching():
            quote = actions.new_quote(work, promises=promises(work), **form.data)
            return see_other(quote_url(quote.no))
    return _new_form(work, form), 422


@bp.post("/<int:quote_id>/send")
def send(quote_id: int) -> ResponseReturnValue:
    """Seal and send. A date that moved meanwhile is refreshed, so that it can be looked at."""
    try:
        return _send(quote_id)
    except Refused as error:
        if error.code != "date_moved":
            raise
        with writing() as work:
            quote = actions.refresh(work, quote_id, promises=promises(work))
            return see_other(quote_url(quote.no), error.message, status="late")


@in_work()
def _send(work: Work, quote_id: int) -> ResponseReturnValue:
    quote = actions.send(work, quote_id, promises=promises(work), expected_version=version())
    text = Message("Quote %(no)s is sealed and on its way by mail.", no=quote.label)
    return see_other(quote_url(quote.no), text)


@bp.post("/<int:quote_id>/revise")
@in_work()
def revise(work: Work, quote_id: int) -> ResponseReturnValue:
    """Begin the next revision."""
    quote = actions.revise(work, quote_id, promises=promises(work), expected_version=version())
    return see_other(quote_url(quote.no), Message("Revision %(rev)s is a draft.", rev=quote.letter))


@bp.post("/<int:quote_id>/lost")
@in_work()
def lost(work: Work, quote_id: int) -> ResponseReturnValue:
    """It will not become an order."""
    form = read_form(schemas.LostSchema())
    form.raise_if_wrong()
    quote = actions.mark_lost(
        work, quote_id, promises=promises(work), expected_version=version(), **form.data
    )
    return see_other(quote_url(quote.no), Message("Noted as lost."))


@bp.post("/<int:quote_id>/accept")
def accept(quote_id: int) -> ResponseReturnValue:
    """Accept on the customer's behalf, from his letter or call."""
    form = read_form(schemas.AcceptSchema())
    form.raise_if_wrong()
    return sign(quote_id, form.data, to_order=order_url, to_quote=quote_url)
