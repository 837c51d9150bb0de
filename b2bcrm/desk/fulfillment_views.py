"""Saved views of the board: kept, shared and forgotten here, offered by the board itself."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from flask import Blueprint
from flask.typing import ResponseReturnValue

from b2bcrm.desk.fulfillment import FILTERS, PASSING
from b2bcrm.fulfillment.actions.views import forget_view, save_view
from b2bcrm.fulfillment.schemas import SaveViewSchema
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.web.answers import see_other
from b2bcrm.web.forms import read_form
from b2bcrm.web.work import in_work

bp = Blueprint("desk_fulfillment_views", __name__)

BOARD = "/fulfillment"
KEPT = {*FILTERS, "sort"} - {*PASSING}


@bp.post("/fulfillment/views")
@in_work()
def save(work: Work) -> ResponseReturnValue:
    """Keep what the board shows; of its address only what the board itself would read."""
    form = read_form(SaveViewSchema())
    form.raise_if_wrong()
    pairs = parse_qsl(form.data["query"])
    query = urlencode([(name, value) for name, value in pairs if name in KEPT])
    save_view(work, form.data["name"], query, shared=form.data["shared"])
    return see_other(f"{BOARD}?{query}" if query else BOARD, Message("The view is saved."))


@bp.post("/fulfillment/views/<int:view_id>/forget")
@in_work()
def forget(work: Work, view_id: int) -> ResponseReturnValue:
    """Delete one of one's own."""
    forget_view(work, view_id)
    return see_other(BOARD, Message("The view is forgotten."))
