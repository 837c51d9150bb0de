"""Inquiries: the list, one with its wishes and files, a new one typed by sales."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from b2bcrm.catalog import queries as catalog
from b2bcrm.customers import queries as customers
from b2bcrm.desk.links import inquiry_url, quote_url
from b2bcrm.desk.quotes import account_options
from b2bcrm.files import queries as file_queries
from b2bcrm.files.kinds import ACCEPT
from b2bcrm.files.uploads import uploads
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.timeline import history
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.quotes import actions, queries, schemas
from b2bcrm.quotes.lifecycle import (
    CHANNEL_WORDS,
    INQUIRY_STATUS,
    INQUIRY_WORDS,
    Channel,
    InquiryState,
)
from b2bcrm.quotes.queries import InquiryRow
from b2bcrm.quotes.queries.inquiries import INQUIRY_SORTS
from b2bcrm.quotes.views import promises, take_inquiry
from b2bcrm.web.answers import see_other
from b2bcrm.web.export import Column, export
from b2bcrm.web.forms import Form, read_form
from b2bcrm.web.locale import current_locale, say
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import After, in_work

bp = Blueprint("desk_inquiries", __name__, template_folder="templates", url_prefix="/inquiries")

EMPTY_ROWS = 3
COLUMNS: tuple[Column[InquiryRow], ...] = (
    Column(Message("Inquiry"), lambda r: r.no),
    Column(Message("Customer"), lambda r: r.account_name),
    Column(Message("Subject"), lambda r: r.subject),
    Column(Message("Channel"), lambda r: CHANNEL_WORDS[r.channel]),
    Column(Message("State"), lambda r: INQUIRY_WORDS[r.state]),
    Column(Message("Received"), lambda r: r.received_at),
    Column(Message("Answer by"), lambda r: r.reply_by_at),
    Column(Message("Answered"), lambda r: r.replied_at),
    Column(Message("Lines"), lambda r: r.line_count),
    Column(Message("Owner"), lambda r: r.owner_name),
)


@bp.get("")
@in_work(read_only=True)
def page(work: Work) -> ResponseReturnValue | After:
    """Open inquiries unless the reader asks for others."""
    wish = asked(sorts=INQUIRY_SORTS, default="-received", filters=("q", "state", "mine"))
    state = wish.get("state", "open")
    rows, total = queries.inquiry_list(
        work,
        words=wish.get("q"),
        state="" if state == "all" else state,
        owner_id=work.actor.user_id if wish.get("mine") else None,
        sort=wish.sort,
        descending=wish.descending,
        offset=wish.offset,
        limit=wish.limit,
    )
    if wish.format:
        return export(rows, COLUMNS, wish.format, "inquiries")
    return render_template(
        "desk/inquiries.html",
        listing=Listing(rows, total, wish),
        CHANNEL_WORDS=CHANNEL_WORDS,
        INQUIRY_WORDS=INQUIRY_WORDS,
        INQUIRY_STATUS=INQUIRY_STATUS,
        may_quote=work.actor.may(Right.QUOTE),
    )


@bp.get("/<no>")
@in_work(read_only=True)
def inquiry(work: Work, no: str) -> ResponseReturnValue:
    """One inquiry."""
    found = queries.inquiry_by_no(work, no)
    account = customers.by_id(work, found.account_id, with_people=True)
    ids = {line.item_id for line in found.lines if line.item_id is not None}
    return render_template(
        "desk/inquiry.html",
        inquiry=found,
        account=account,
        contact=next((c for c in account.contacts if c.id == found.contact_id), None),
        items=catalog.items_by_id(work.session, ids),
        files=file_queries.of_subject(work, "inquiry", found.id),
        quote=queries.quote_of_inquiry(work, found.id),
        history=history(work.session, subject=("inquiry", found.id)),
        CHANNEL_WORDS=CHANNEL_WORDS,
        INQUIRY_WORDS=INQUIRY_WORDS,
        INQUIRY_STATUS=INQUIRY_STATUS,
        is_open=found.state is InquiryState.OPEN,
        may_quote=work.actor.may(Right.QUOTE),
        locale_now=current_locale(),
    )


@bp.get("/new")
@in_work(read_only=True)
def new(work: Work) -> ResponseReturnValue:
    """Type what a customer asked by mail, telephone or on a visit."""
    return _form(work, None)


def _form(work: Work, form: Form | None) -> str:
    rows = len(form.values.get("lines", [])) if form else 0
    return render_template(
        "desk/inquiry_new.html",
        form=form,
        accounts=account_options(work),
        chosen=request.args.get("account", ""),
        channels=[
            (channel.value, say(CHANNEL_WORDS[channel]))
            for channel in Channel
            if channel is not Channel.PORTAL
        ],
        rows=range(max(rows, EMPTY_ROWS)),
        ACCEPT=ACCEPT,
    )


@bp.post("")
@in_work()
def create(work: Work) -> ResponseReturnValue:
    """Take it in."""
    form = read_form(schemas.StaffInquirySchema())
    files = uploads(form)
    if form.ok:
        with form.catching():
            found = take_inquiry(work, form, files)
            return see_other(inquiry_url(found.no))
    return _form(work, form), 422


@bp.post("/<int:inquiry_id>/quote")
@in_work()
def quote(work: Work, inquiry_id: int) -> ResponseReturnValue:
    """Make the quote of it, with nothing typed twice."""
    made = actions.quote_from_inquiry(work, inquiry_id, promises=promises(work))
    return see_other(quote_url(made.no))


@bp.post("/<int:inquiry_id>/decline")
@in_work()
def decline(work: Work, inquiry_id: int) -> ResponseReturnValue:
    """We cannot offer."""
    form = read_form(schemas.RefusalSchema())
    form.raise_if_wrong()
    found = actions.decline_inquiry(work, inquiry_id, **form.data)
    return see_other(url_for(".inquiry", no=found.no), Message("Inquiry declined."))
