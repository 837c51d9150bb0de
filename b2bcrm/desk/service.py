"""The service desk: the list of cases with their clocks, one case, and a new one.

Acts are the posts at the end. A form that was filled in on an older version comes back with
what was typed, and says who changed the case meanwhile.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from b2bcrm.desk.service_facts import deliveries_of_line, way_of_line
from b2bcrm.files.kinds import ACCEPT
from b2bcrm.files.uploads import Upload, attach, uploads
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Conflict, Invalid, Refused
from b2bcrm.kernel.timeline import history, version_of
from b2bcrm.kernel.words import Message, show_date
from b2bcrm.kernel.work import Work
from b2bcrm.service import actions, queries, schemas
from b2bcrm.service.lifecycle import CAUSE_WORDS, KIND_WORDS, STATE_WORDS, CaseCause
from b2bcrm.service.models import Case
from b2bcrm.service.queries import CaseRow
from b2bcrm.web.answers import see_other
from b2bcrm.web.export import Column, export
from b2bcrm.web.forms import WHOLE, Form, read_form
from b2bcrm.web.live import version_response
from b2bcrm.web.locale import current_locale, say
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import After, in_work

bp = Blueprint("desk_service", __name__, template_folder="templates")

PER_PAGE = 25
COLUMNS: tuple[Column[CaseRow], ...] = (
    Column(Message("Case"), lambda r: r.no),
    Column(Message("Kind"), lambda r: KIND_WORDS[r.kind]),
    Column(Message("Subject"), lambda r: r.subject),
    Column(Message("Customer"), lambda r: r.account_name),
    Column(Message("Order"), lambda r: r.order_no),
    Column(Message("Line"), lambda r: r.line_no),
    Column(Message("Item"), lambda r: r.item_no),
    Column(Message("Serial numbers"), lambda r: r.serial_nos),
    Column(Message("Owner"), lambda r: r.owner),
    Column(Message("State"), lambda r: STATE_WORDS[r.state]),
    Column(Message("Opened"), lambda r: r.opened_at),
    Column(Message("Answer due"), lambda r: r.clocks.answer.due_at),
    Column(Message("Answered"), lambda r: r.answered_at),
    Column(Message("Solution due"), lambda r: r.clocks.solve.due_at),
    Column(Message("Solved"), lambda r: r.solved_at),
    Column(Message("Closed"), lambda r: r.closed_at),
)


@bp.get("/service")
@in_work(read_only=True)
def cases(work: Work) -> ResponseReturnValue | After:
    """All cases that the reader asks for, the most urgent first."""
    wish = asked(
        sorts=queries.SORTS, default="due", filters=("q", "show", "kind"), per_page=PER_PAGE
    )
    rows, total = queries.list_cases(
        work,
        show=wish.get("show"),
        words=wish.get("q"),
        kind=wish.get("kind"),
        sort=wish.sort,
        descending=wish.descending,
        offset=wish.offset,
        limit=wish.limit,
    )
    if wish.format:
        return export(rows, COLUMNS, wish.format, "cases")
    found = queries.causes(work)
    return render_template(
        "desk/service_list.html",
        listing=Listing(rows, total, wish),
        counts=queries.counts(work),
        kept=queries.kept(work),
        kept_days=queries.MEASURED_DAYS,
        causes=[(CAUSE_WORDS[CaseCause(code)], number) for code, number in found],
        cause_days=queries.CAUSE_DAYS,
        kinds=_options(KIND_WORDS),
        may_serve=work.actor.may(Right.SERVE),
        KIND_WORDS=KIND_WORDS,
        STATE_WORDS=STATE_WORDS,
    )


def _options(words: Mapping[Any, Message]) -> list[tuple[str, str]]:
    """Choices in the reader's language."""
    return [(code.value, say(word)) for code, word in words.items()]


@dataclass(frozen=True)
class Writing:
    """What the lower half of the page shows: a reply or a note, and the forms as typed."""

    note: bool = False
    form: Form | None = None
    solving: Form | None = None
    giving: Form | None = None


@bp.get("/service/<no>")
@in_work(read_only=True)
def case_page(work: Work, no: str) -> ResponseReturnValue:
    """One case."""
    return _page(work, no, Writing(note=request.args.get("write") == "note"))


def _page(work: Work, no: str, writing: Writing) -> str:
    page = queries.page(work, no)
    show = request.args.get("show", "")
    internal = {"customer": False, "internal": True}.get(show)
    case = page.case
    deliveries = deliveries_of_line(work, case.order_line_id)
    may_serve = work.actor.may(Right.SERVE)
    entries = [e for e in page.entries if internal is None or e.internal is internal]
    return render_template(
        "desk/service_case.html",
        p=page,
        case=case,
        entries=entries,
        show=show if internal is not None else "",
        writing=writing,
        owners=list(queries.possible_owners(work)) if may_serve else [],
        deliveries=deliveries,
        life=way_of_line(page, deliveries, lambda day: _short(day, work.today)),
        cause_options=_options(CAUSE_WORDS),
        may_serve=may_serve,
        history=history(work.session, subject=("case", case.id), limit=30),
        version=version_of(work.session, f"case:{case.id}"),
        KIND_WORDS=KIND_WORDS,
        STATE_WORDS=STATE_WORDS,
        CAUSE_WORDS=CAUSE_WORDS,
        locale_now=current_locale(),
        ACCEPT=ACCEPT,
    )


def _short(day: dt.date, today: dt.date) -> str:
    """A date without its weekday, with the year when it is not this one."""
    return show_date(day, current_locale(), year=day.year != today.year, weekday=False)


@bp.get("/service/<no>/version")
@in_work(read_only=True)
def version(work: Work, no: str) -> ResponseReturnValue:
    """Whether the open page is still what the database says."""
    return version_response(work, f"case:{queries.by_no(work, no).id}")


# -- a new case ------------------------------------------------------------------------------------


@bp.get("/service/new")
@in_work(read_only=True)
def new_case(work: Work) -> ResponseReturnValue:
    """Find the delivered line that the customer speaks of, then say what is wrong."""
    line_id = request.args.get("line", "")
    if line_id.isascii() and line_id.isdigit() and len(line_id) < 19:  # noqa: PLR2004 - fits 64 bits
        return _new_case_form(work, int(line_id), None)
    words = request.args.get("q", "").strip().replace("\0", "")[:100]
    return render_template(
        "desk/service_find.html",
        words=words,
        lines=queries.delivered_lines(work, words=words) if words else [],
        locale_now=current_locale(),
        ACCEPT=ACCEPT,
    )


def _new_case_form(work: Work, line_id: int, form: Form | None) -> str:
    line = queries.delivered_line(work, line_id)
    return render_template(
        "desk/service_new.html",
        line=line,
        form=form,
        kind_options=_options(KIND_WORDS),
        contacts=list(queries.contacts_of(work, line.account_id)),
        locale_now=current_locale(),
        ACCEPT=ACCEPT,
    )


@bp.post("/service/new/<int:line_id>")
@in_work()
def open_case(work: Work, line_id: int) -> ResponseReturnValue:
    """Open a case for a customer who called or wrote."""
    form = read_form(schemas.NewCaseByStaff())
    files = uploads(form)
    if form.ok:
        with form.catching():
            case = actions.open_case(work, line_id, **form.data)
            if files:
                _attach(work, files, case, queries.first_message_id(work, case))
            return see_other(
                url_for(".case_page", no=case.no), Message("Case %(no)s is open.", no=case.no)
            )
    return _new_case_form(work, line_id, form), 422


def _attach(
    work: Work, files: list[Upload], case: Case, entry_id: int, *, internal: bool = False
) -> None:
    attach(
        work,
        files,
        subject=queries.NOTE_FILES if internal else queries.MESSAGE_FILES,
        subject_id=entry_id,
        account_id=case.account_id,
        order_id=case.order_id,
        internal=internal,
    )


# -- acts ------------------------------------------------------------------------------------------


def _act(
    work: Work,
    no: str,
    form: Form,
    act: Callable[[int, dict[str, Any]], object],
    *,
    said: Message,
    again: Writing,
) -> ResponseReturnValue:
    """Do it and go back to the page, or show the page again with what was typed."""
    status = 422
    if form.ok:
        try:
            act(queries.by_no(work, no).id, form.data)
            return see_other(url_for(".case_page", no=no), said)
        except Invalid as error:
            form.add(error)
        except (Conflict, Refused) as error:
            form.errors[WHOLE] = error.message
            status = 409
    return _page(work, no, again), status


@bp.post("/service/<no>/answer")
@in_work()
def answer(work: Work, no: str) -> ResponseReturnValue:
    """Write to the customer; ``act=ask`` also waits for his reply."""
    form = read_form(schemas.Writing())
    files = uploads(form)
    asking = request.form.get("act") == "ask"

    def act(case_id: int, data: dict[str, Any]) -> None:
        write = actions.ask_customer if asking else actions.answer
        message = write(work, case_id, data["text"], expected_version=data["version"])
        _attach(work, files, queries.by_id(work, case_id), message.id)

    said = Message("Sent. The solve clock waits for the customer.") if asking else Message("Sent.")
    return _act(work, no, form, act, said=said, again=Writing(form=form))


@bp.post("/service/<no>/note")
@in_work()
def note(work: Work, no: str) -> ResponseReturnValue:
    """Write a note that stays inside."""
    form = read_form(schemas.Writing())
    files = uploads(form)

    def act(case_id: int, data: dict[str, Any]) -> None:
        row = actions.note(work, case_id, data["text"])
        _attach(work, files, queries.by_id(work, case_id), row.id, internal=True)

    return _act(work, no, form, act, said=Message("Noted."), again=Writing(note=True, form=form))


@bp.post("/service/<no>/take")
@in_work()
def take(work: Work, no: str) -> ResponseReturnValue:
    """The reader becomes the owner."""
    form = read_form(schemas.Versioned())

    def act(case_id: int, data: dict[str, Any]) -> None:
        actions.take(work, case_id, expected_version=data["version"])

    return _act(work, no, form, act, said=Message("The case is yours."), again=Writing(giving=form))


@bp.post("/service/<no>/hand-over")
@in_work()
def hand_over(work: Work, no: str) -> ResponseReturnValue:
    """A colleague becomes the owner."""
    form = read_form(schemas.Giving())

    def act(case_id: int, data: dict[str, Any]) -> None:
        actions.hand_over(work, case_id, data["owner_id"], expected_version=data["version"])

    return _act(work, no, form, act, said=Message("Handed over."), again=Writing(giving=form))


@bp.post("/service/<no>/solve")
@in_work()
def solve(work: Work, no: str) -> ResponseReturnValue:
    """The customer gets the solution; the cause stays inside."""
    form = read_form(schemas.Solving())

    def act(case_id: int, data: dict[str, Any]) -> None:
        actions.solve(
            work,
            case_id,
            solution=data["solution"],
            cause=data["cause"],
            expected_version=data["version"],
        )

    return _act(work, no, form, act, said=Message("Solved."), again=Writing(solving=form))


@bp.post("/service/<no>/reopen")
@in_work()
def reopen(work: Work, no: str) -> ResponseReturnValue:
    """It was not solved."""
    form = read_form(schemas.Versioned())

    def act(case_id: int, data: dict[str, Any]) -> None:
        actions.reopen(work, case_id, expected_version=data["version"])

    return _act(
        work, no, form, act, said=Message("The case is open again."), again=Writing(giving=form)
    )


@bp.post("/service/<no>/close")
@in_work()
def close(work: Work, no: str) -> ResponseReturnValue:
    """The solution stands."""
    form = read_form(schemas.Versioned())

    def act(case_id: int, data: dict[str, Any]) -> None:
        actions.close(work, case_id, expected_version=data["version"])

    return _act(
        work, no, form, act, said=Message("The case is closed."), again=Writing(giving=form)
    )
