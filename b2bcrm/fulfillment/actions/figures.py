"""The board's figures are summed anew where the rows changed, and stored for the pages to read.

Summing takes a read-only Work, storing a short one of its own. If the process dies between the
two, the figures stay behind the rows, which the next look finds again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.fulfillment.models import FigureRun, FigureSheet
from b2bcrm.fulfillment.planning.sums import SheetKey, Sheets
from b2bcrm.fulfillment.queries.figures import RUNS
from b2bcrm.kernel.database import insert_for
from b2bcrm.kernel.timeline import version_of
from b2bcrm.kernel.work import Work


@dataclass(frozen=True)
class Summed:
    """The sheets of one run, made on a business day and at a machine time from ``source``.

    ``replaces`` is the source of those that were stored when they were made, None for none.
    """

    run: str
    source: int
    replaces: int | None
    made_on: dt.date
    made_at: dt.datetime
    sheets: Sheets


def sum_figures(work: Work) -> list[Summed]:
    """Sum what is behind its rows or was made on another day; only reads."""
    stored = {run.name: run for run in work.session.scalars(sa.select(FigureRun))}
    found = []
    for run in RUNS:
        # Asked before the rows are read: a change that comes in between is found by the next look.
        source, old = version_of(work.session, *run.topics), stored.get(run.name)
        if old is None or (old.source, old.made_on) != (source, work.today):
            replaces, sheets = None if old is None else old.source, run.sum_up(work)
            found.append(Summed(run.name, source, replaces, work.today, work.tick, sheets))
    return found


def keep_figures(work: Work, summed: Summed) -> bool:
    """Store the sheets that differ, and tell the board if one does.

    False, and nothing stored, if another process has stored others meanwhile.
    """
    if not _take(work, summed):
        return False
    session = work.session
    query = sa.select(FigureSheet).where(FigureSheet.run == summed.run)
    stored = {SheetKey(row.kind, row.site_id, row.code): row for row in session.scalars(query)}
    changed = False
    for key in stored.keys() - summed.sheets.data.keys():
        session.delete(stored[key])
        changed = True
    for key, data in summed.sheets.data.items():
        row = stored.get(key)
        if row is None:
            row = FigureSheet(run=summed.run, **key._asdict())
            session.add(row)
        row.computed_at = summed.sheets.computed_at.get(key)
        if row.data != data:
            row.data = data
            changed = True
    if changed:
        work.bump("board")
    return True


def _take(work: Work, summed: Summed) -> bool:
    """Write the run's row; whether it still was the one to replace."""
    row = insert_for(work.session, FigureRun).values(
        name=summed.run, source=summed.source, made_on=summed.made_on, made_at=summed.made_at
    )
    query = row.on_conflict_do_update(
        index_elements=[FigureRun.name],
        set_={
            "source": row.excluded.source,
            "made_on": row.excluded.made_on,
            "made_at": row.excluded.made_at,
        },
        where=FigureRun.source == summed.replaces,
    ).returning(FigureRun.name)
    return work.session.scalar(query) is not None
