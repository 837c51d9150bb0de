"""The quote editor: one quote with its revisions; live re-pricing; preview of the document.

A line's input posts itself 150 ms after the last key; the answer replaces figures, dates and
totals around it but never the input, so the caret stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from b2bcrm.catalog import queries as catalog
from b2bcrm.desk.links import quote_url
from b2bcrm.desk.order import short_dates
from b2bcrm.desk.quote_facts import SOURCE_WORDS, EditorFacts, read
from b2bcrm.desk.quote_view import METER_MARKS, meter_share, view
from b2bcrm.documents.environment import show_price
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.organization import calendar_of
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries as order_queries
from b2bcrm.quotes import actions, queries, schemas
from b2bcrm.quotes.actions.editing import INCOTERMS
from b2bcrm.quotes.lifecycle import LOSS_WORDS, STATE_WORDS, STATUS, QuoteState
from b2bcrm.quotes.models import Quote
from b2bcrm.quotes.pricing import MARGIN_FLOOR, MARGIN_TARGET
from b2bcrm.quotes.views import answer_pdf, promises, version
from b2bcrm.web.answers import see_other
from b2bcrm.web.forms import Form, read_form
from b2bcrm.web.locale import NAMES, current_locale, say
from b2bcrm.web.work import After, in_work

bp = Blueprint("desk_quote_editor", __name__, template_folder="templates", url_prefix="/quotes")


@bp.get("/<no>")
@in_work(read_only=True)
def page(work: Work, no: str) -> ResponseReturnValue:
    """One quote; ``?rev=B`` shows a revision, ``?with=A`` compares it with another one."""
    opened = queries.opened(
        work, no, revision=request.args.get("rev", ""), against=request.args.get("with", "")
    )
    return _page(work, opened)


def _page(
    work: Work,
    opened: queries.Opened,
    *,
    form: Form | None = None,
    pasted: list[actions.PastedRow] | None = None,
) -> str:
    editable = work.actor.may(Right.QUOTE) and opened.quote.state is QuoteState.DRAFT
    facts = read(work, opened, editable=editable)
    order = None
    if opened.quote.state is QuoteState.ACCEPTED:
        order = order_queries.by_quote(work.session, opened.quote.id)
    return render_template(
        "desk/quote.html",
        **_names(work, opened, facts),
        f=facts,
        form=form,
        pasted=pasted or [],
        order=order,
        loss_options=[(reason.value, say(word)) for reason, word in LOSS_WORDS.items()],
        language_options=list(NAMES.items()),
        incoterm_options=[(term, term) for term in INCOTERMS],
        STATE_WORDS=STATE_WORDS,
        SOURCE_WORDS=SOURCE_WORDS,
        STATUS=STATUS,
        LOSS_WORDS={reason.value: word for reason, word in LOSS_WORDS.items()},
    )


def _names(work: Work, opened: queries.Opened, facts: EditorFacts) -> dict[str, Any]:
    shown = view(
        opened,
        today=work.today,
        calendar=calendar_of(work.session, opened.facts.site.calendar_code),
        objections=actions.objections_to(work, opened.quote),
        wishes=facts.wishes,
        paid=facts.paid,
        sure=facts.sure,
        may_edit=work.actor.may(Right.QUOTE),
        see_cost=work.actor.may(Right.SEE_COST),
        short=short_dates(work.today),
    )
    return {
        "v": shown,
        "quote": opened.quote,
        "q": opened.facts,
        "may_quote": work.actor.may(Right.QUOTE),
        "meter_share": meter_share,
        "meter_marks": METER_MARKS,
        "floor": MARGIN_FLOOR,
        "target": MARGIN_TARGET,
        "locale_now": current_locale(),
        "QuoteState": QuoteState,
        "show_price": show_price,
    }


def _live(work: Work, no: str, letter: str, errors: dict[str, Message]) -> str:
    opened = queries.opened(work, no, revision=letter)
    facts = read(work, opened, editable=True)
    return render_template("desk/quote_live.html", **_names(work, opened, facts), errors=errors)


def _edit(
    work: Work, quote_id: int, form: Form, act: Callable[..., Any], anchor: str = ""
) -> ResponseReturnValue:
    """Do one edit and answer with the whole page, or with the live parts if htmx asks."""
    live = "HX-Request" in request.headers
    quote: Quote = queries.by_id(work, quote_id)
    if form.ok:
        with form.catching():
            act(promises=promises(work), expected_version=version())
    if not form.ok and live:
        return _errors(form), 422
    if not form.ok:
        raise Invalid(next(iter(form.errors.values())), fields=form.errors)
    work.session.flush()  # flush: the page is read by statements
    if live:
        return _live(work, quote.no, quote.letter, {})
    return see_other(f"{quote_url(quote.no)}{anchor}")


def _errors(form: Form) -> str:
    line_no = (request.view_args or {}).get("line_no", "")
    return render_template("desk/quote_errors.html", errors=form.errors, line_no=line_no)


@bp.post("/<int:quote_id>/lines/<int:line_no>")
@in_work()
def set_line(work: Work, quote_id: int, line_no: int) -> ResponseReturnValue:
    """Change a line; what is absent stays."""
    form = read_form(schemas.LineSchema())
    return _edit(
        work,
        quote_id,
        form,
        lambda **names: actions.set_line(work, quote_id, line_no, **form.data, **names),
        "#lines",
    )


@bp.post("/<int:quote_id>/lines/<int:line_no>/remove")
@in_work()
def remove_line(work: Work, quote_id: int, line_no: int) -> ResponseReturnValue:
    """Take a line out."""
    return _edit(
        work,
        quote_id,
        Form(),
        lambda **names: actions.remove_line(work, quote_id, line_no, **names),
        "#lines",
    )


@bp.post("/<int:quote_id>/lines")
@in_work()
def add_line(work: Work, quote_id: int) -> ResponseReturnValue:
    """Add an item by number, name or the customer's own number."""
    form = read_form(schemas.NewLineSchema())
    if form.ok:
        with form.catching():
            quote = actions.add_line(
                work,
                quote_id,
                promises=promises(work),
                expected_version=version(),
                **form.data,
            )
            return see_other(f"{quote_url(quote.no)}#lines")
    quote = queries.by_id(work, quote_id)
    return _page(work, queries.opened(work, quote.no), form=form), 422


@bp.post("/<int:quote_id>/paste")
@in_work()
def paste(work: Work, quote_id: int) -> ResponseReturnValue:
    """Rows from a spreadsheet: good ones become lines, the others are named with their row."""
    form = read_form(schemas.PasteSchema())
    if form.ok:
        with form.catching():
            quote, wrong = actions.paste_lines(
                work,
                quote_id,
                promises=promises(work),
                expected_version=version(),
                **form.data,
            )
            if not wrong:
                return see_other(f"{quote_url(quote.no)}#lines", Message("All rows were taken."))
            work.session.flush()  # flush: the page is read by statements
            return _page(work, queries.opened(work, quote.no), pasted=wrong)
    quote = queries.by_id(work, quote_id)
    form.errors = {"paste": next(iter(form.errors.values()))}
    return _page(work, queries.opened(work, quote.no), form=form), 422


@bp.post("/<int:quote_id>/terms")
@in_work()
def terms(work: Work, quote_id: int) -> ResponseReturnValue:
    """Change the terms: the form shows all of them, so an emptied field is emptied."""
    values = _terms_typed()
    form = read_form(schemas.TermsSchema(), values)
    if form.ok:
        with form.catching():
            quote = actions.set_terms(
                work,
                quote_id,
                promises=promises(work),
                expected_version=version(),
                **form.data,
            )
            return see_other(f"{quote_url(quote.no)}#terms", Message("Terms saved."))
    quote = queries.by_id(work, quote_id)
    return _page(work, queries.opened(work, quote.no), form=form), 422


NULLABLE = frozenset({"decision_on", "contact_id", "ship_to_id"})
EMPTY_TEXT = frozenset({"incoterm_place", "payment_terms", "note", "customer_po"})


def _terms_typed() -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in schemas.TermsSchema().fields:
        if name not in request.form:
            continue
        typed = request.form[name].replace("\0", "").strip()
        if typed:
            values[name] = typed
        elif name in NULLABLE:
            values[name] = None
        elif name in EMPTY_TEXT:
            values[name] = ""
    return values


@bp.post("/<int:quote_id>/refresh")
@in_work()
def refresh(work: Work, quote_id: int) -> ResponseReturnValue:
    """Today's prices and dates."""
    return _edit(
        work, quote_id, Form(), lambda **names: actions.refresh(work, quote_id, **names), "#lines"
    )


@bp.get("/<int:quote_id>/items")
@in_work(read_only=True)
def items(work: Work, quote_id: int) -> ResponseReturnValue:
    """Suggestions for the line to be added: options of a datalist."""
    quote = queries.by_id(work, quote_id)
    words = request.args.get("part", "").strip().replace("\0", "")[:100]
    found = catalog.search_items(work, words, account_id=quote.account_id)
    return render_template("desk/quote_items.html", found=found, locale_now=current_locale())


@bp.get("/<int:quote_id>/pdf")
@in_work(read_only=True)
def document(work: Work, quote_id: int) -> After:
    """The document: what was sealed, or what would be sent now."""
    quote = queries.by_id(work, quote_id)
    return answer_pdf(work, quote)
