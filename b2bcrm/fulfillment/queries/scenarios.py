"""Saved scenarios that somebody may see: his own, and what is shared with all staff."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa

from b2bcrm.fulfillment.models import Scenario
from b2bcrm.fulfillment.planning.measures import Measure, measures_of
from b2bcrm.fulfillment.queries.board import staff_only
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.users.models import User


class SavedScenario(NamedTuple):
    """A scenario as lists show it; ``mine``: the reader may change it."""

    id: int
    name: str
    owner: str
    mine: bool
    shared: bool
    changed_at: dt.datetime
    measures: list[Measure]


def scenarios(work: Work) -> list[SavedScenario]:
    """All that the reader may see, the newest first."""
    return _found(work, sa.true())


def scenario(work: Work, scenario_id: int) -> SavedScenario:
    """One of them. Raises NotFound for another's that is not shared."""
    found = _found(work, Scenario.id == scenario_id)
    if not found:
        raise not_found(Message("This scenario"))
    return found[0]


def _found(work: Work, where: sa.ColumnElement[bool]) -> list[SavedScenario]:
    staff_only(work)
    me = work.actor.user_id
    query = (
        sa.select(
            Scenario.id,
            Scenario.name,
            User.name,
            Scenario.owner_id,
            Scenario.shared,
            Scenario.changed_at,
            Scenario.measures,
        )
        .join(User, User.id == Scenario.owner_id)
        .where(where, sa.or_(Scenario.shared, Scenario.owner_id == me))
        .order_by(Scenario.changed_at.desc(), Scenario.id.desc())
    )
    return [
        SavedScenario(key, name, owner, owner_id == me, shared, at, measures_of(texts))
        for key, name, owner, owner_id, shared, at, texts in work.session.execute(query)
    ]
