"""Keeping scenarios: their measures under a name, to be worked out anew whenever opened."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from b2bcrm.fulfillment.models import Scenario
from b2bcrm.fulfillment.planning.measures import Measure, text_of
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Invalid, not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.users.models import User


def save_scenario(work: Work, name: str, measures: Sequence[Measure], *, shared: bool) -> int:
    """Keep the measures under the name; one of his own of that name is replaced.

    Answers its id. Raises Invalid without a name or measures.
    """
    work.actor.must(Right.CHANGE_PROMISE)
    owner, name = user_of(work), name.strip()
    if not name:
        text = Message("This field is needed.")
        raise Invalid(text, fields={"name": text})
    if not measures:
        raise Invalid(Message("There is no measure to keep."))
    query = sa.select(Scenario).where(Scenario.owner_id == owner, Scenario.name == name)
    row = work.session.scalars(query).one_or_none()
    if row is None:
        row = Scenario(owner_id=owner, name=name)
        work.session.add(row)
    row.measures = [text_of(one) for one in measures]
    row.shared, row.changed_at = shared, work.now
    work.session.flush()  # flush: the address names its id
    return row.id


def forget_scenario(work: Work, scenario_id: int) -> None:
    """Delete one of his own. Raises NotFound for any other."""
    work.actor.must(Right.CHANGE_PROMISE)
    row = work.session.get(Scenario, scenario_id)
    if row is None or row.owner_id != work.actor.user_id:
        raise not_found(Message("This scenario"))
    work.session.delete(row)


def user_of(work: Work) -> int:
    """Who acts, as a person: only people own scenarios and propose.

    Locked, so that what is sent twice at once finds what the first one wrote.
    """
    if work.actor.user_id is None:
        raise Invalid(Message("Only a person can do this."))
    query = sa.select(User.id).where(User.id == work.actor.user_id)
    return work.session.scalars(query.with_for_update(key_share=True)).one()
