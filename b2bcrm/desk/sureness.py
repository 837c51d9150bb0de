"""How far our dates can be trusted: what was called 80 % sure, and how often it came."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from b2bcrm.catalog.queries import family_names
from b2bcrm.fulfillment.planning.figures import ROUNDS
from b2bcrm.fulfillment.planning.sureness import LEVELS
from b2bcrm.fulfillment.queries.sureness import Calibration, calibration, odds
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.web.locale import current_locale, say
from b2bcrm.web.work import in_work

bp = Blueprint("desk_sureness", __name__, template_folder="templates")

PCT = tuple(round(100 * level) for level in LEVELS)
COLORS = ("data-1", "data-2", "data-4")


@bp.get("/fulfillment/sureness")
@in_work(read_only=True)
def page(work: Work) -> ResponseReturnValue:
    """The night's test of foretold days: over all lines, per family, against the promise."""
    found, coming = calibration(work), odds(work)
    locale = current_locale()
    known = family_names(work.session) if found else {}
    names = {code: family.name_in(locale) for code, family in known.items()}
    return render_template(
        "desk/sureness.html",
        found=found,
        coming=coming,
        rounds=ROUNDS,
        levels=PCT,
        names=names,
        chart=_chart(found, names) if found else None,
    )


def _chart(found: Calibration, names: dict[str, str]) -> dict[str, Any]:
    """What came by each level's day, as bars, beside the level itself, as dashed lines."""
    groups = [found.true_pct, *(group.true_pct for group in found.families)]
    series: list[dict[str, Any]] = []
    for n, (level, color) in enumerate(zip(PCT, COLORS, strict=True)):
        bars = [round(group[n], 1) for group in groups]
        name = say(Message("came by P%(level)s", level=level))
        series.append({"name": name, "kind": "bar", "color": color, "data": bars})
    for level in PCT:
        line = {"kind": "line", "dashed": True, "color": "ink", "data": [level] * len(groups)}
        series.append({"name": f"{level} %", **line})
    return {
        "categories": [
            say(Message("All")),
            *(names.get(group.family, group.family) for group in found.families),
        ],
        "unit": "%",
        "wrap": True,
        "series": series,
    }
