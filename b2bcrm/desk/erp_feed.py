"""One feed of the ERP monitor, and what an operator does about feeds. Acts are in ``sync``."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.timeline import version_of
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Entity
from b2bcrm.sync import actions, findings, queries
from b2bcrm.sync.queries import FeedRow
from b2bcrm.web.answers import see_other
from b2bcrm.web.forms import Form, read_form
from b2bcrm.web.live import version_response
from b2bcrm.web.work import in_work

bp = Blueprint("erp_feed", __name__, template_folder="templates", url_prefix="/erp")

AT_NEXT_LOOK = Message("It happens at the worker's next look.")
LONGEST = 60 * 24 * 30  # minutes that a feed's data may be old at most


class LimitsSchema(Schema):
    """How old a feed may be, and how much of it one run may change unasked."""

    limit_minutes = fields.Integer(required=True, validate=validate.Range(1, LONGEST))
    guard_percent = fields.Integer(required=True, validate=validate.Range(1, 100))


class RecordSchema(Schema):
    """A record by the ERP's own number."""

    erp_id = fields.String(required=True, validate=validate.Length(1, 120))


@bp.get("/feeds/<int:feed_id>")
@in_work(read_only=True)
def page(work: Work, feed_id: int) -> ResponseReturnValue:
    """Its state, runs, comparisons with the ERP, and what can be done about it."""
    return _page(work, feed_id)


@bp.get("/feeds/<int:feed_id>/version")
@in_work(read_only=True)
def version(work: Work, feed_id: int) -> ResponseReturnValue:
    """For the live page."""
    _row(work, feed_id)
    return version_response(work, actions.MONITOR)


def _row(work: Work, feed_id: int) -> FeedRow:
    found = next((row for row in queries.feeds(work) if row.feed.id == feed_id), None)
    if found is None:
        raise not_found(Message("This feed"))
    return found


def _page(work: Work, feed_id: int, form: Form | None = None, seek: Form | None = None) -> str:
    seen = version_of(work.session, actions.MONITOR)  # first: what changes now is fetched anew
    row = _row(work, feed_id)
    return render_template(
        "desk/erp_feed.html",
        seen=seen,
        row=row,
        load=next(iter(findings.loads(work, [row.feed])), None),
        reports=[report for report, _feed in findings.reports(work, row.feed.id)],
        outcomes=queries.OUTCOME_WORDS,
        form=form,
        seek=seek,
        tick=work.tick,
    )


@bp.post("/feeds/<int:feed_id>/<any(pause, resume, compare, compare_all, read_in_full):feed_act>")
@in_work()
def act(work: Work, feed_id: int, feed_act: str) -> ResponseReturnValue:
    """Leave it alone or go on, compare it with the ERP, or read everything again."""
    said = AT_NEXT_LOOK
    if feed_act in {"pause", "resume"}:
        actions.pause(work, feed_id, paused=feed_act == "pause")
        said = (
            Message("The feed is paused.") if feed_act == "pause" else Message("The feed goes on.")
        )
    elif feed_act == "read_in_full":
        actions.read_in_full(work, feed_id)
    else:
        actions.reconcile_now(work, feed_id, by_content=feed_act == "compare_all")
    return see_other(f"/erp/feeds/{feed_id}", said)


@bp.post("/feeds/<int:feed_id>/limits")
@in_work()
def limits(work: Work, feed_id: int) -> ResponseReturnValue:
    """Set the two limits."""
    form = read_form(LimitsSchema())
    if not form.ok:
        return _page(work, feed_id, form), 422
    actions.set_limits(work, feed_id, **form.data)
    return see_other(f"/erp/feeds/{feed_id}", Message("The limits are set."))


@bp.post("/feeds/<int:feed_id>/record")
@in_work()
def record(work: Work, feed_id: int) -> ResponseReturnValue:
    """Read one record again, whatever its stamp says."""
    row = _row(work, feed_id)
    form = read_form(RecordSchema())
    if not form.ok:
        return _page(work, feed_id, seek=form), 422
    erp_id = form.data["erp_id"]
    actions.resync(work, row.feed.connection_code, Entity(row.feed.entity), erp_id)
    return see_other(f"/erp/feeds/{feed_id}", AT_NEXT_LOOK)


@bp.post("/questions/<int:stop_id>")
@in_work()
def decide(work: Work, stop_id: int) -> ResponseReturnValue:
    """Let a run of this size pass once, or pause its feed."""
    approve = request.form.get("answer") == "yes"
    actions.decide(work, stop_id, approve=approve)
    said = AT_NEXT_LOOK if approve else Message("The feed is paused.")
    return see_other("/erp", said)


@bp.post("/held/<int:row_id>/<any(reread, ignore):held_act>")
@in_work()
def held(work: Work, row_id: int, held_act: str) -> ResponseReturnValue:
    """Ask for a record that did not fit again, or leave it."""
    if held_act == "reread":
        actions.reread(work, row_id)
        return see_other("/erp", AT_NEXT_LOOK)
    actions.ignore(work, row_id)
    return see_other("/erp", Message("The record is not asked for any more."))


@bp.post("/drift/<int:notice_id>/close")
@in_work()
def close_notice(work: Work, notice_id: int) -> ResponseReturnValue:
    """A drift is dealt with."""
    actions.close_notice(work, notice_id)
    return see_other("/erp", Message("The notice is closed; it opens again if it comes back."))
