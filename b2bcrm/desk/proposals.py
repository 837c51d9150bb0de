"""Proposals: what is asked of purchasing and production, and which customers must be told."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from b2bcrm.desk import links
from b2bcrm.desk.whatif import url_of
from b2bcrm.fulfillment.actions import REASONS
from b2bcrm.fulfillment.actions.proposals import decide_task
from b2bcrm.fulfillment.models import TaskState
from b2bcrm.fulfillment.planning.measures import measure_of
from b2bcrm.fulfillment.queries import proposals as queries
from b2bcrm.fulfillment.queries.requests import open_requests
from b2bcrm.fulfillment.schemas import DecideTaskSchema
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.web.answers import see_other
from b2bcrm.web.forms import read_form
from b2bcrm.web.work import in_work

bp = Blueprint("desk_proposals", __name__, template_folder="templates")

STATE_WORDS = {
    TaskState.OPEN: (Message("open"), "risk"),
    TaskState.DONE: (Message("arranged in the ERP"), "ok"),
    TaskState.DECLINED: (Message("declined"), "idle"),
}


@bp.get("/fulfillment/proposals")
@in_work(read_only=True)
def page(work: Work) -> ResponseReturnValue:
    """All proposals, and later days that wait for a sales manager."""
    return render_template(
        "desk/proposals.html",
        rows=queries.proposals(work),
        requests=open_requests(work),
        reasons=REASONS,
        may_approve=work.actor.may(Right.APPROVE_PROMISE),
        to=links,
    )


@bp.get("/fulfillment/proposals/<int:proposal_id>")
@in_work(read_only=True)
def one(work: Work, proposal_id: int) -> ResponseReturnValue:
    """One proposal: its tasks, and the notices drafted for customers."""
    found = queries.proposal(work, proposal_id)
    measures = [measure_of(task.measure) for task in found.tasks]
    return render_template(
        "desk/proposal.html",
        proposal=found,
        tasks=list(zip(found.tasks, measures, strict=True)),
        words=STATE_WORDS,
        notices=queries.notices(work, proposal_id),
        tried_url=url_of(measures),
        may_change=work.actor.may(Right.CHANGE_PROMISE),
        to=links,
    )


@bp.post("/fulfillment/proposals/<int:proposal_id>/tasks/<int:task_id>")
@in_work()
def decide(work: Work, proposal_id: int, task_id: int) -> ResponseReturnValue:
    """Somebody arranged a measure in the ERP, or will not."""
    form = read_form(DecideTaskSchema())
    form.raise_if_wrong()
    decide_task(work, proposal_id, task_id, form.data["state"])
    return see_other(f"/fulfillment/proposals/{proposal_id}", Message("Noted."))
