"""The customer asks: a form made for a telephone, his inquiries, and what became of them."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from b2bcrm.catalog import queries as catalog
from b2bcrm.files import queries as file_queries
from b2bcrm.files.kinds import ACCEPT
from b2bcrm.files.uploads import uploads
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.quotes import queries, schemas
from b2bcrm.quotes.lifecycle import INQUIRY_STATUS, InquiryState
from b2bcrm.quotes.queries import InquiryRow
from b2bcrm.quotes.views import take_inquiry
from b2bcrm.web.answers import see_other
from b2bcrm.web.export import Column, export
from b2bcrm.web.forms import Form, read_form
from b2bcrm.web.locale import current_locale
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import After, in_work

bp = Blueprint(
    "portal_inquiries", __name__, template_folder="templates", url_prefix="/portal/inquiries"
)

PER_PAGE = 25
EMPTY_ROWS = 3
WORDS = {
    InquiryState.OPEN: Message("we are working on it"),
    InquiryState.QUOTED: Message("quotation in preparation"),
    InquiryState.DECLINED: Message("we cannot offer this"),
}
COLUMNS: tuple[Column[InquiryRow], ...] = (
    Column(Message("Inquiry"), lambda r: r.no),
    Column(Message("Subject"), lambda r: r.subject),
    Column(Message("State"), lambda r: WORDS[r.state]),
    Column(Message("Received"), lambda r: r.received_at),
    Column(Message("Lines"), lambda r: r.line_count),
)


@bp.get("")
@in_work(read_only=True)
def inquiries(work: Work) -> ResponseReturnValue | After:
    """The account's inquiries, newest first."""
    wish = asked(sorts=("received",), default="-received", filters=("q",), per_page=PER_PAGE)
    rows, total = queries.inquiry_list(
        work,
        words=wish.get("q"),
        sort="received",
        descending=wish.descending,
        offset=wish.offset,
        limit=wish.limit,
    )
    if wish.format:
        return export(rows, COLUMNS, wish.format, "inquiries")
    return render_template(
        "portal/inquiries.html",
        listing=Listing(rows, total, wish),
        WORDS=WORDS,
        INQUIRY_STATUS=INQUIRY_STATUS,
    )


@bp.get("/new")
@in_work(read_only=True)
def new(work: Work) -> ResponseReturnValue:  # noqa: ARG001 - the frame reads in it
    """What do you need?"""
    return _form(None)


def _form(form: Form | None) -> str:
    rows = len(form.values.get("lines", [])) if form else 0
    return render_template(
        "portal/inquiry_new.html", form=form, rows=range(max(rows, EMPTY_ROWS)), ACCEPT=ACCEPT
    )


@bp.post("")
@in_work()
def create(work: Work) -> ResponseReturnValue:
    """Send it to us."""
    form = read_form(schemas.InquirySchema())
    files = uploads(form)
    if form.ok:
        with form.catching():
            found = take_inquiry(work, form, files)
            return see_other(
                url_for(".inquiry", no=found.no),
                Message(
                    "We have it: inquiry %(no)s. Our quotation comes here and by mail.",
                    no=found.no,
                ),
            )
    return _form(form), 422


@bp.get("/<no>")
@in_work(read_only=True)
def inquiry(work: Work, no: str) -> ResponseReturnValue:
    """One inquiry and the quotation that answers it."""
    found = queries.inquiry_by_no(work, no)
    ids = {line.item_id for line in found.lines if line.item_id is not None}
    return render_template(
        "portal/inquiry.html",
        inquiry=found,
        items=catalog.items_by_id(work.session, ids),
        files=file_queries.of_subject(work, "inquiry", found.id),
        quote=queries.quote_of_inquiry(work, found.id),
        WORDS=WORDS,
        INQUIRY_STATUS=INQUIRY_STATUS,
        locale_now=current_locale(),
    )
