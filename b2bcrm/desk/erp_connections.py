"""The ERP connections: entering one, what it may send, whether customers are told of changes.

A secret that is typed here is stored sealed and never shown again. Acts are in ``sync``.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError, fields, validate

from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.errors import Conflict
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import CODES, ErpConfig
from b2bcrm.sync import actions, connections, queries
from b2bcrm.sync.connections import MAIN, ConnectionForm
from b2bcrm.sync.models import ErpConnection, Writes
from b2bcrm.sync.quiet import Allowed
from b2bcrm.sync.vault import Vault
from b2bcrm.web.answers import see_other
from b2bcrm.web.forms import Form, read_form, typed
from b2bcrm.web.work import in_work, supply

bp = Blueprint("erp_connections", __name__, template_folder="templates", url_prefix="/erp")

HOME = "/erp/connections"
WRITES_WORDS: dict[Writes, Message] = {
    Writes.OFF: Message("Nothing is sent"),
    Writes.DRY_RUN: Message("Dry run: the ERP is asked, nothing is entered"),
    Writes.ON: Message("Orders are sent"),
}


QUIET_WORDS: dict[str, Message] = {
    Allowed.READS.value: Message("it is only read"),
    Allowed.NONE.value: Message("it is left alone"),
}
SPARE_ROWS = 2


def _time(value: str) -> None:
    if not re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise ValidationError([Message("Write a time of day such as 22:00.")])


def _days(value: str) -> None:
    if not re.fullmatch("[1-7]{1,7}", value):
        raise ValidationError([Message("Days are digits from 1 (Monday) to 7 (Sunday).")])


class ConnectionSchema(Schema):
    """What a person enters; ``params`` are lines of name=value."""

    code = fields.String(required=True, validate=validate.Length(1, connections.CODE_LENGTH))
    profile = fields.String(required=True, validate=validate.Length(1, 300))
    base_url = fields.Url(required=True, require_tld=False, schemes={"http", "https"})
    company = fields.String(load_default="", validate=validate.Length(max=20))
    user = fields.String(load_default="", validate=validate.Length(max=80))
    secret = fields.String(load_default="", validate=validate.Length(max=300))
    params = fields.String(load_default="", validate=validate.Length(max=2000))
    concurrency = fields.Integer(load_default=None, validate=validate.Range(1, 64))
    per_minute = fields.Integer(load_default=None, validate=validate.Range(1, 100_000))


class QuietEntrySchema(Schema):
    """Hours on some days of the week, in the home zone; they may pass midnight."""

    days = fields.String(required=True, validate=_days)
    begin = fields.String(required=True, validate=_time)
    end = fields.String(required=True, validate=_time)
    allow = fields.String(required=True, validate=validate.OneOf(QUIET_WORDS))


class QuietSchema(Schema):
    """All quiet hours of a connection."""

    quiet = fields.List(fields.Nested(QuietEntrySchema), load_default=list)


class WritesSchema(Schema):
    """The switch."""

    writes = fields.Enum(Writes, by_value=True, required=True)


class NoticesSchema(Schema):
    """Since when customers are told, and how many notices the list had that was seen."""

    go_live_on = fields.Date(required=True)
    seen = fields.Integer(load_default=None, validate=validate.Range(0, 1_000_000))


@bp.get("/connections")
@in_work(read_only=True)
def page(work: Work) -> ResponseReturnValue:
    """All connections with their switches."""
    rows = queries.connections(work.session)
    certified = {row.code: connections.is_certified(work, row) for row in rows}
    return render_template(
        "desk/erp_connections.html",
        rows=rows,
        certified=certified,
        words=WRITES_WORDS,
        quiet_words=QUIET_WORDS,
        codes={row.code: _codes(row) for row in rows},
        tick=work.tick,
    )


def _codes(row: ErpConnection) -> list[tuple[str, str]]:
    """The connection's own codes: (map and code, meaning)."""
    return [
        (name.removeprefix(CODES), str(value))
        for name, value in sorted(row.params.items())
        if name.startswith(CODES)
    ]


@bp.get("/connections/new")
@in_work(read_only=True)
def new(work: Work) -> ResponseReturnValue:
    """The form of a connection that is not there yet."""
    del work
    return _form(None, None)


@bp.get("/connections/<code>")
@in_work(read_only=True)
def one(work: Work, code: str) -> ResponseReturnValue:
    """The form of one connection."""
    return _form(connections.get(work, code), None)


def _form(row: ErpConnection | None, form: Form | None, hours: Form | None = None) -> str:
    params = "\n".join(f"{k}={v}" for k, v in row.params.items()) if row else ""
    kept = [_shown(entry) for entry in row.quiet] if row else []
    rows = hours.values.get("quiet", []) if hours else kept
    return render_template(
        "desk/erp_connection.html",
        row=row,
        form=form,
        params=params,
        main=MAIN,
        hours=hours,
        quiet=[*rows, *({} for _ in range(SPARE_ROWS))],
        quiet_words=QUIET_WORDS,
    )


def _shown(entry: dict[str, str]) -> dict[str, str]:
    """A stored entry as its form's fields."""
    return {name: entry[key] for name, key in _ENTRY.items()}


_ENTRY = {"days": "days", "begin": "from", "end": "to", "allow": "allow"}


@bp.post("/connections/<code>/quiet")
@in_work()
def quiet(work: Work, code: str) -> ResponseReturnValue:
    """Set the quiet hours; a row without days and times is none."""
    row = connections.get(work, code)
    given = typed()
    given["quiet"] = [one for one in given.get("quiet", []) if one.keys() - {"allow"}]
    form = read_form(QuietSchema(), given)
    if form.ok:
        with form.catching():
            hours = [{key: one[name] for name, key in _ENTRY.items()} for one in form.data["quiet"]]
            connections.set_quiet(work, code, hours)
            return see_other(f"{HOME}/{code}", Message("The quiet hours are kept."))
    return _form(row, None, form), 422


@bp.post("/connections")
@in_work()
def save(work: Work) -> ResponseReturnValue:
    """Enter a connection, or change it; the first one follows the environment."""
    form = read_form(ConnectionSchema())
    params = _params(form)
    if form.data.get("code") == MAIN:
        form.errors["code"] = Message("The first connection is set in the environment.")
    if form.ok and any(name.startswith(CODES) for name in params):
        try:
            supply("listening").check(form.data["profile"], params)
        except ErpConfig as error:
            form.errors["params"] = error.message
    if form.ok:
        with form.catching():
            entered = ConnectionForm(**{**form.data, "params": params}, quiet=_quiet(work, form))
            vault: Vault = supply("vault")
            connections.enter(work, entered, vault)
            return see_other(HOME, Message("The connection is kept; nothing is sent yet."))
    known = {row.code: row for row in queries.connections(work.session)}
    return _form(known.get(form.values.get("code", "")), form), 422


def _quiet(work: Work, form: Form) -> list[dict[str, str]]:
    """Quiet hours stay as they are: they have a form of their own."""
    known = {row.code: row for row in queries.connections(work.session)}
    row = known.get(form.data["code"])
    return list(row.quiet) if row else []


def _params(form: Form) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in str(form.data.get("params") or "").splitlines():
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            form.errors["params"] = Message("Write name=value, one per line.")
            break
        found[name.strip()] = value.strip()
    return found


@bp.post("/connections/<code>/writes")
@in_work()
def writes(work: Work, code: str) -> ResponseReturnValue:
    """Off, dry run or on."""
    form = read_form(WritesSchema())
    form.raise_if_wrong()
    wanted: Writes = form.data["writes"]
    connections.switch_writes(work, code, wanted)
    return see_other(HOME, WRITES_WORDS[wanted])


@bp.get("/connections/<code>/notices")
@in_work(read_only=True)
def preview(work: Work, code: str) -> ResponseReturnValue:
    """What customers would be told, before they are."""
    return _preview(work, code, read_form(NoticesSchema(), {"go_live_on": _asked_day(work)}))


def _asked_day(work: Work) -> str:
    return request.args.get("go_live_on") or work.today.isoformat()


def _preview(work: Work, code: str, form: Form) -> str:
    day: dt.date = form.data.get("go_live_on") or work.today
    return render_template(
        "desk/erp_notices.html",
        row=connections.get(work, code),
        waiting=connections.untold(work, code, _start(day)),
        day=day,
        form=form,
    )


def _start(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), HOME_ZONE).astimezone(dt.UTC)


@bp.post("/connections/<code>/notices")
@in_work()
def notices(work: Work, code: str) -> ResponseReturnValue:
    """Tell customers of changes since a day; a list that has grown is shown again (422)."""
    form = read_form(NoticesSchema())
    if form.ok:
        on = {"on": True, "go_live_at": _start(form.data["go_live_on"])}
        answer = _switched(work, code, form, {**on, "seen": form.data["seen"] or 0})
        if answer is not None:
            return answer
    return _preview(work, code, form), 422


def _switched(work: Work, code: str, form: Form, how: dict[str, Any]) -> ResponseReturnValue | None:
    try:
        connections.switch_notices(work, code, **how)
    except Conflict as error:
        form.add(error)
        return None
    return see_other(HOME, Message("Customers are told of changes."))


@bp.post("/connections/<code>/notices/off")
@in_work()
def notices_off(work: Work, code: str) -> ResponseReturnValue:
    """Tell customers nothing until it is switched on again."""
    connections.switch_notices(work, code, on=False)
    return see_other(HOME, Message("Customers are not told of changes."))


@bp.post("/connections/<code>/try-now")
@in_work()
def try_now(work: Work, code: str) -> ResponseReturnValue:
    """Close the breaker: the ERP is asked again at once."""
    actions.reset_breaker(work, code)
    return see_other("/erp", Message("The ERP is asked at the worker's next look."))
