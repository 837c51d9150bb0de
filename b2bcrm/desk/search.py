"""Global search: the page behind the box, and the suggestions while one types."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from b2bcrm.desk.search_facts import FEW, MANY, MIN_LENGTH, find
from b2bcrm.kernel.work import Work
from b2bcrm.web.locale import current_locale
from b2bcrm.web.work import in_work

bp = Blueprint("desk_search", __name__, template_folder="templates", url_prefix="/search")

MAX_LENGTH = 100


def _typed() -> str:
    return request.args.get("q", "").replace("\0", "")[:MAX_LENGTH]


@bp.get("")
@in_work(read_only=True)
def results(work: Work) -> ResponseReturnValue:
    """All finds; a number typed in full leads straight to its page."""
    found = find(work, _typed(), limit=MANY, locale=current_locale())
    if found.only is not None:
        return redirect(found.only.href, 303)
    return render_template("desk/search.html", found=found, most=MANY, least=MIN_LENGTH)


@bp.get("/suggest")
@in_work(read_only=True)
def suggest(work: Work) -> ResponseReturnValue:
    """The best finds of each kind, as a list to put under the box."""
    found = find(work, _typed(), limit=FEW, locale=current_locale())
    return render_template("desk/search_suggest.html", found=found)
