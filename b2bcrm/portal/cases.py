"""Service cases of the customer: the list, a new one on a delivered line, and the conversation.

Nothing internal is read here: notes, causes and owners' hand-overs have no way onto these pages.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from b2bcrm.files.kinds import ACCEPT
from b2bcrm.files.uploads import Upload, attach, uploads
from b2bcrm.kernel.errors import Conflict, Invalid, Refused
from b2bcrm.kernel.timeline import version_of
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.service import actions, queries, schemas
from b2bcrm.service.lifecycle import KIND_WORDS, STATE_WORDS
from b2bcrm.service.models import Case
from b2bcrm.service.queries import CaseRow
from b2bcrm.web.answers import see_other
from b2bcrm.web.export import Column, export
from b2bcrm.web.forms import WHOLE, Form, read_form
from b2bcrm.web.live import version_response
from b2bcrm.web.locale import current_locale, say
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import After, in_work

bp = Blueprint("portal_cases", __name__, template_folder="templates", url_prefix="/portal/cases")

PER_PAGE = 25
COLUMNS: tuple[Column[CaseRow], ...] = (
    Column(Message("Case"), lambda r: r.no),
    Column(Message("Kind"), lambda r: KIND_WORDS[r.kind]),
    Column(Message("Subject"), lambda r: r.subject),
    Column(Message("Order"), lambda r: r.order_no),
    Column(Message("Line"), lambda r: r.line_no),
    Column(Message("Item"), lambda r: r.item_no),
    Column(Message("State"), lambda r: STATE_WORDS[r.state]),
    Column(Message("Opened"), lambda r: r.opened_at),
    Column(Message("Answered"), lambda r: r.answered_at),
    Column(Message("Solved"), lambda r: r.solved_at),
)


@bp.get("")
@in_work(read_only=True)
def cases(work: Work) -> ResponseReturnValue | After:
    """The account's cases, all unless the reader asks for some."""
    wish = asked(sorts=("opened",), default="-opened", filters=("show", "q"), per_page=PER_PAGE)
    show = wish.get("show") if wish.get("show") in {"waiting", "solved", "closed"} else "all"
    rows, total = queries.list_cases(
        work,
        show=show,
        words=wish.get("q"),
        sort="opened",
        descending=wish.descending,
        offset=wish.offset,
        limit=wish.limit,
    )
    if wish.format:
        return export(rows, COLUMNS, wish.format, "cases")
    return render_template(
        "portal/cases.html",
        listing=Listing(rows, total, wish),
        KIND_WORDS=KIND_WORDS,
        STATE_WORDS=STATE_WORDS,
        locale_now=current_locale(),
    )


@bp.get("/new")
@in_work(read_only=True)
def new_case(work: Work) -> ResponseReturnValue:
    """Choose a delivered line (``?line=`` comes from the order's page), then say what is wrong."""
    line_id = request.args.get("line", "")
    if line_id.isascii() and line_id.isdigit() and len(line_id) < 19:  # noqa: PLR2004 - fits 64 bits
        return _form(work, int(line_id), None)
    words = request.args.get("q", "").strip().replace("\0", "")[:100]
    return render_template(
        "portal/case_find.html",
        words=words,
        lines=queries.delivered_lines(work, words=words),
        locale_now=current_locale(),
    )


def _form(work: Work, line_id: int, form: Form | None) -> str:
    return render_template(
        "portal/case_new.html",
        line=queries.delivered_line(work, line_id),
        form=form,
        kind_options=[(kind.value, say(word)) for kind, word in KIND_WORDS.items()],
        ACCEPT=ACCEPT,
        locale_now=current_locale(),
    )


@bp.post("/new/<int:line_id>")
@in_work()
def open_case(work: Work, line_id: int) -> ResponseReturnValue:
    """Open a case."""
    form = read_form(schemas.NewCase())
    files = uploads(form)
    if form.ok:
        with form.catching():
            case = actions.open_case(work, line_id, **form.data)
            if files:
                _attach(work, files, case, queries.first_message_id(work, case))
            return see_other(
                url_for(".case_page", no=case.no),
                Message(
                    "We have it: case %(no)s. You will get our answer here and by mail.", no=case.no
                ),
            )
    return _form(work, line_id, form), 422


def _attach(work: Work, files: list[Upload], case: Case, message_id: int) -> None:
    attach(
        work,
        files,
        subject=queries.MESSAGE_FILES,
        subject_id=message_id,
        account_id=case.account_id,
        order_id=case.order_id,
    )


@bp.get("/<no>")
@in_work(read_only=True)
def case_page(work: Work, no: str) -> ResponseReturnValue:
    """One case."""
    return _page(work, no, None)


def _page(work: Work, no: str, form: Form | None) -> str:
    page = queries.page(work, no)
    return render_template(
        "portal/case.html",
        p=page,
        case=page.case,
        form=form,
        version=version_of(work.session, f"case:{page.case.id}"),
        KIND_WORDS=KIND_WORDS,
        STATE_WORDS=STATE_WORDS,
        ACCEPT=ACCEPT,
        locale_now=current_locale(),
    )


@bp.get("/<no>/version")
@in_work(read_only=True)
def version(work: Work, no: str) -> ResponseReturnValue:
    """Whether the open page is still what the database says."""
    return version_response(work, f"case:{queries.by_no(work, no).id}")


@bp.post("/<no>/message")
@in_work()
def write(work: Work, no: str) -> ResponseReturnValue:
    """A message from the customer."""
    form = read_form(schemas.CustomerWriting())
    files = uploads(form)
    status = 422
    if form.ok:
        try:
            case = queries.by_no(work, no)
            message = actions.customer_writes(work, case.id, form.data["text"])
            _attach(work, files, case, message.id)
            return see_other(url_for(".case_page", no=no), Message("Sent."))
        except Invalid as error:
            form.add(error)
        except (Conflict, Refused) as error:
            form.errors[WHOLE] = error.message
            status = 409
    return _page(work, no, form), status


@bp.post("/<no>/confirm")
@in_work()
def confirm(work: Work, no: str) -> ResponseReturnValue:
    """The solution helped."""
    form = read_form(schemas.Versioned())
    form.raise_if_wrong()
    case = queries.by_no(work, no)
    actions.close(work, case.id, expected_version=form.data["version"])
    return see_other(url_for(".case_page", no=no), Message("Thank you. The case is closed."))


@bp.post("/<no>/reopen")
@in_work()
def reopen(work: Work, no: str) -> ResponseReturnValue:
    """The solution did not help."""
    form = read_form(schemas.Versioned())
    form.raise_if_wrong()
    case = queries.by_no(work, no)
    actions.reopen(work, case.id, expected_version=form.data["version"])
    return see_other(url_for(".case_page", no=no), Message("The case is open again."))
