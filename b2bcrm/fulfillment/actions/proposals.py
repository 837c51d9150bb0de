"""Proposing a scenario: tasks for whoever changes the ERP, drafts for customers who would slip.

Nothing moves by it. A person arranges each measure in the ERP, whose feed then moves the dates; a
customer is told when somebody changes his promise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.fulfillment.actions.scenarios import user_of
from b2bcrm.fulfillment.actions.settling import settle_proposed
from b2bcrm.fulfillment.actions.whatif import Moved
from b2bcrm.fulfillment.events import ScenarioProposed
from b2bcrm.fulfillment.models import Proposal, ProposalNotice, ProposalTask, TaskState
from b2bcrm.fulfillment.planning.measures import Measure, text_of
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Invalid, not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work

MAX_NAME = 80  # as ``Proposal.name``


def propose(work: Work, name: str, measures: Sequence[Measure], moved: Iterable[Moved]) -> int:
    """Ask for the measures, and draft a notice for each line that would slip.

    Answers the proposal's id: the one that is open already, where the same person asked for the
    same before. Raises Invalid without a name or a measure.
    """
    work.actor.must(Right.CHANGE_PROMISE)
    user, name, texts = user_of(work), name.strip(), [text_of(one) for one in measures]
    if not name:
        text = Message("This field is needed.")
        raise Invalid(text, fields={"name": text})
    if not texts:
        raise Invalid(Message("There is no measure to propose."))
    earlier = _open(work, user, texts)
    if earlier is not None:
        return earlier
    notices = [
        ProposalNotice(
            order_line_id=one.line.id, promised_on=one.line.promised_on, arrives_on=one.after
        )
        for one in moved
        if one.late_after > one.late_before and one.line.promised_on and one.after
    ]
    return _propose(work, name, texts, notices)


def propose_for(work: Work, name: str, measures: Sequence[Measure]) -> int:
    """The measures that a customer asks for, as a proposal of his. Answers its id."""
    return _propose(work, name[:MAX_NAME], [text_of(one) for one in measures], [])


def _propose(work: Work, name: str, texts: Sequence[str], notices: Sequence[ProposalNotice]) -> int:
    row = Proposal(
        name=name,
        by_id=user_of(work),
        by_name=work.actor.name,
        at=work.now,
        tasks=[ProposalTask(measure=text) for text in texts],
        notices=list(notices),
    )
    work.session.add(row)
    work.session.flush()  # flush: the fact names its id
    work.publish(ScenarioProposed(subject_id=row.id, proposal=name, tasks=len(texts)))
    work.bump("board")
    return row.id


def _open(work: Work, user: int, texts: Collection[str]) -> int | None:
    """His proposal of exactly these measures of which nothing is decided yet."""
    undecided = Proposal.tasks.any(ProposalTask.state == TaskState.OPEN)
    query = sa.select(Proposal).where(Proposal.by_id == user, undecided)
    query = query.options(selectinload(Proposal.tasks))
    for row in work.session.scalars(query.order_by(Proposal.id.desc())):
        asked = {task.measure for task in row.tasks if task.state is TaskState.OPEN}
        if asked == set(texts) and len(row.tasks) == len(asked):
            return row.id
    return None


def decide_task(work: Work, proposal_id: int, task_id: int, state: TaskState) -> None:
    """Somebody arranged the measure in the ERP, or will not; it may be opened again."""
    work.actor.must(Right.CHANGE_PROMISE)
    row = work.session.get(ProposalTask, task_id)
    if row is None or row.proposal_id != proposal_id:
        raise not_found(Message("This task"))
    if row.state is state:  # said twice: nobody is told again
        return
    row.state = state
    row.decided_by = "" if state is TaskState.OPEN else work.actor.name
    row.decided_at = None if state is TaskState.OPEN else work.now
    settle_proposed(work, proposal_id, state)
