"""The morning report goes out once per business day and reader.

What the board says is read in a Work that cannot write; then one short Work keeps it and publishes
a fact for each reader, together. If the process dies before, the next look does it; if it dies
after, the outbox still has what was not mailed. The day's row lets one of several workers do it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from b2bcrm.fulfillment.events import MorningCame
from b2bcrm.fulfillment.models import BoardMorning
from b2bcrm.fulfillment.queries.mornings import Standing, any_plant_works, is_reported, standing
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.database import insert_for
from b2bcrm.kernel.work import Work
from b2bcrm.users.queries import users_with_roles

READERS: Sequence[Role] = (Role.PLANNER, Role.SALES_MANAGER)


def morning_due(work: Work, at: dt.time) -> Standing | None:
    """The board as it stands, if today is a working day whose report is due and not out yet.

    ``at`` is the hour of the home zone from which on it is due; only reads.
    """
    if work.now.astimezone(HOME_ZONE).time() < at or is_reported(work, work.today):
        return None
    return standing(work) if any_plant_works(work, work.today) else None


def send_morning(work: Work, seen: Standing) -> bool:
    """Keep what was seen and tell every reader; False if another worker has done so."""
    row = insert_for(work.session, BoardMorning).values(
        day=work.today, made_at=work.tick, figures=seen.figures, lines=seen.lines
    )
    query = row.on_conflict_do_nothing(index_elements=[BoardMorning.day])
    if work.session.scalar(query.returning(BoardMorning.day)) is None:
        return False
    for user in users_with_roles(work.session, READERS):
        work.publish(MorningCame(subject_id=user.id, day=work.today))
    return True
