"""Keeping views of the board: filters and order under a name."""

from __future__ import annotations

import sqlalchemy as sa

from b2bcrm.fulfillment.actions.scenarios import user_of
from b2bcrm.fulfillment.models import BoardView
from b2bcrm.fulfillment.queries.board import staff_only
from b2bcrm.kernel.errors import Invalid, not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work


def save_view(work: Work, name: str, query: str, *, shared: bool) -> int:
    """Keep the board's ``query`` under the name; one of his own of that name is replaced.

    Answers its id. Raises Invalid without a name.
    """
    staff_only(work)
    owner, name = user_of(work), name.strip()
    if not name:
        text = Message("This field is needed.")
        raise Invalid(text, fields={"name": text})
    wanted = sa.select(BoardView).where(BoardView.owner_id == owner, BoardView.name == name)
    row = work.session.scalars(wanted).one_or_none()
    if row is None:
        row = BoardView(owner_id=owner, name=name)
        work.session.add(row)
    row.query, row.shared = query, shared
    work.session.flush()  # flush: the answer is its id
    return row.id


def forget_view(work: Work, view_id: int) -> None:
    """Delete one of his own. Raises NotFound for any other."""
    staff_only(work)
    row = work.session.get(BoardView, view_id)
    if row is None or row.owner_id != work.actor.user_id:
        raise not_found(Message("This view"))
    work.session.delete(row)
