"""What if: measures in the address, tried on today's plan in memory. Nothing is stored here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from b2bcrm.desk import links
from b2bcrm.fulfillment.actions import whatif
from b2bcrm.fulfillment.actions.prices import set_prices
from b2bcrm.fulfillment.actions.proposals import propose
from b2bcrm.fulfillment.actions.scenarios import forget_scenario, save_scenario
from b2bcrm.fulfillment.planning.measures import (
    KINDS,
    MOST,
    STRATEGY_WORDS,
    Allocate,
    Down,
    First,
    Last,
    Measure,
    Move,
    OtherSite,
    Overtime,
    Rush,
    Split,
    Substitute,
    measures_of,
    read,
    text_of,
)
from b2bcrm.fulfillment.planning.prices import Prices, Way
from b2bcrm.fulfillment.planning.progress import word_of
from b2bcrm.fulfillment.queries.choices import choices
from b2bcrm.fulfillment.queries.open_lines import OpenLine
from b2bcrm.fulfillment.queries.scenarios import SavedScenario, scenario, scenarios
from b2bcrm.fulfillment.schemas import PricesSchema, ProposeSchema, SaveScenarioSchema
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.words import Message, show_decimal
from b2bcrm.kernel.work import Work
from b2bcrm.web.answers import see_other
from b2bcrm.web.forms import read_form
from b2bcrm.web.locale import say
from b2bcrm.web.work import in_work, reading, stop_reading, writing

if TYPE_CHECKING:
    from b2bcrm.fulfillment.planning.loads import CenterLoad

bp = Blueprint("desk_whatif", __name__, template_folder="templates")

PATH = "/fulfillment/what-if"
COMPARED = 2
MOST_ID = 2**63 - 1
SHOWN = 100  # lines that move; how many there are in all is told
NAMED = 5  # lines that something stands in for
ADD_WORDS = {
    "move": Message("Another day for a purchase order"),
    "overtime": Message("More hours at a work centre"),
    "down": Message("A work centre stands still"),
    "rush": Message("A rush order"),
    "first": Message("Serve an order line first"),
    "split": Message("Split an order line"),
    "allocate": Message("Allocate an item anew"),
    "substitute": Message("Take a substitute"),
    "other_site": Message("Take from another site"),
}
WITHOUT, WITH, CAPACITY = Message("As it is"), Message("With it"), Message("Capacity")
NOTHING_TAKEN = Message("Nothing is taken: nobody is short, or nothing of it is there in time.")
STANDS_IN = Message(
    "Our plan takes it only where the item cannot be there in time, and only as far as it is free "
    "or can still be had. Work orders of the ERP keep their components."
)
HINTS: dict[type[Measure], Message] = {
    Move: Message("all its open lines; what was put off for it goes back to its first days"),
    Overtime: Message("on its open days; work orders of the ERP keep their dates"),
    Down: Message("work that meets it waits until it is over"),
    Rush: Message("served before everything else, ready at our door"),
    First: Message("before all others, whatever their class"),
    Split: Message("the rest follows when it can"),
    Allocate: Message("among the lines that our plan serves; what the ERP has pegged stays"),
}


class WayRow(NamedTuple):
    """A way to make a line earlier as the page lists it."""

    way: Way
    sentence: Message
    url: str
    hint: Message | None = None


class Lever(NamedTuple):
    """A measure as the panel shows it; ``refused``: why it changes nothing."""

    text: str
    sentence: Message
    hint: Message | None
    refused: Message | None
    outcome: Message | None
    price: Decimal | None


def url_of(measures: Sequence[Measure], line: str = "") -> str:
    """The page with these measures."""
    pairs = [("m", text_of(one)) for one in measures] + ([("line", line)] if line else [])
    return f"{PATH}?{urlencode(pairs)}" if pairs else PATH


@bp.get(PATH)
def page() -> ResponseReturnValue:
    """The scenario in the address, before and after; ``add`` appends one more measure."""
    measures, line, added, wrong = _asked()
    if added is not None:
        return redirect(url_of([*measures, added][:MOST], line), 303)
    return _shown("desk/whatif.html", measures, line, wrong=wrong)


@bp.get(f"{PATH}/panel")
def panel() -> ResponseReturnValue:
    """The panel on the board: it fetches itself anew, the board stays as it is."""
    measures, line, added, wrong = _asked()
    if added is not None:
        measures = [*measures, added][:MOST]
    return _shown("desk/whatif_panel.html", measures, line, wrong=wrong, board=True)


def _asked() -> tuple[list[Measure], str, Measure | None, bool]:
    """The measures and the line in the address, one more to be added, or whether it is wrong."""
    measures, line = measures_of(request.args.getlist("m")), request.args.get("line", "").strip()
    adding = request.args.get("add", "")
    if adding not in KINDS:
        return measures, line, None, False
    try:
        values = [request.args.get(name, "").strip() for name, _ in KINDS[adding][1]]
        return measures, line, read(adding, values), False
    except ValueError:
        return measures, line, None, True


@bp.get(f"{PATH}/<int:scenario_id>")
def saved(scenario_id: int) -> ResponseReturnValue:
    """A saved scenario, worked out against today's plan."""
    kept = scenario(reading(), scenario_id)
    return _shown("desk/whatif.html", kept.measures, "", kept=kept)


def _shown(
    template: str,
    measures: Sequence[Measure],
    line: str,
    *,
    wrong: bool = False,
    board: bool = False,
    kept: SavedScenario | None = None,
) -> str:
    question, answer = _tried(measures, line)
    work = reading()
    offered = choices(work)
    centers = [(code, say(word_of(name))) for code, name, _site in offered.centers]
    return render_template(
        template,
        path=PATH,
        board=board,
        own_url=url_of(measures, line),
        question=question,
        answer=answer,
        levers=_levers(measures, answer),
        no_plan=whatif.NO_PLAN if question.ground is None else None,
        centers=centers,
        stands_in=STANDS_IN,
        sites=[(code, name) for _id, code, name in offered.sites],
        adds=ADD_WORDS,
        strategies=[(one.value, say(word)) for one, word in STRATEGY_WORDS.items()],
        line=line,
        wrong=wrong,
        typed=request.args.to_dict(),
        loads=[
            (load, dict(centers).get(load.center, load.center), _plot(load))
            for load in answer.loads
        ],
        ways=[_way_row(way, measures, line) for way in answer.ways],
        swap_url=_swap_url(measures, line, answer),
        shown=SHOWN,
        kept=kept,
        saved=scenarios(work),
        may_change=work.actor.may(Right.CHANGE_PROMISE),
        to=links,
    )


def _way_row(way: Way, measures: Sequence[Measure], line: str) -> WayRow:
    """``url`` tries it; the days on the way from another site are asked for first."""
    measure = way.measure
    if isinstance(measure, OtherSite):
        asked = {name: getattr(measure, name) for name in ("item", "site", "source")}
        pairs = [("m", text_of(one)) for one in measures] + [("line", line), ("open", "other_site")]
        return WayRow(
            way,
            Message("%(source)s has %(item)s that %(site)s lacks", **asked),
            f"{PATH}?{urlencode([*pairs, *asked.items()])}",
            Message("at most, less the days on the way"),
        )
    hint = Message("days for these pieces") if isinstance(measure, Split) else None
    return WayRow(way, measure.sentence(), url_of([*measures, measure], line), hint)


def _tried(measures: Sequence[Measure], line: str = "") -> tuple[whatif.Question, whatif.Answer]:
    question = whatif.ask(reading(), measures, line)
    stop_reading()  # no Work is open while the engine works
    planning = whatif.solve(question)
    return question, whatif.tell(reading(), question, planning)


@bp.post(f"{PATH}/save")
@in_work()
def save(work: Work) -> ResponseReturnValue:
    """Keep the measures under a name."""
    measures, form = measures_of(request.form.getlist("m")), read_form(SaveScenarioSchema())
    if form.ok:
        with form.catching():
            key = save_scenario(work, form.data["name"], measures, shared=form.data["shared"])
            return see_other(f"{PATH}/{key}", Message("The scenario is kept."))
    return see_other(url_of(measures), next(iter(form.errors.values())), status="late")


@bp.post(f"{PATH}/prices")
@in_work()
def prices(work: Work) -> ResponseReturnValue:
    """Say what measures and lateness cost."""
    measures, line = measures_of(request.form.getlist("m")), request.form.get("line", "").strip()
    form, back = read_form(PricesSchema()), url_of(measures, line)
    if form.ok:
        set_prices(work, Prices(**form.data))
        return see_other(back, Message("The prices are kept."))
    return see_other(back, next(iter(form.errors.values())), status="late")


@bp.post(f"{PATH}/propose")
def propose_changes() -> ResponseReturnValue:
    """Ask purchasing and production for the measures; nothing is changed by it."""
    measures, form = measures_of(request.form.getlist("m")), read_form(ProposeSchema())
    reading().actor.must(Right.CHANGE_PROMISE)
    if form.ok:
        _, answer = _tried(measures)  # before the Work that writes: it holds no lock meanwhile
        wanted = [one for one in measures if one not in answer.refused]
        with form.catching(), writing() as work:
            key = propose(work, form.data["name"], wanted, answer.moved)
            return see_other(
                f"/fulfillment/proposals/{key}", Message("Proposed. Nothing is changed yet.")
            )
    return see_other(url_of(measures), next(iter(form.errors.values())), status="late")


@bp.post(f"{PATH}/<int:scenario_id>/forget")
@in_work()
def forget(work: Work, scenario_id: int) -> ResponseReturnValue:
    """Delete one of one's own."""
    forget_scenario(work, scenario_id)
    return see_other(PATH, Message("The scenario is forgotten."))


@bp.get(f"{PATH}/compare")
def compare() -> ResponseReturnValue:
    """Two saved scenarios beside today."""
    wanted = [min(int(key), MOST_ID) for key in request.args.getlist("s") if key.isdecimal()]
    kept = [scenario(reading(), key) for key in dict.fromkeys(wanted)][:COMPARED]
    answers = [_tried(one.measures)[1] for one in kept]
    return render_template(
        "desk/whatif_compare.html",
        path=PATH,
        kept=kept,
        answers=answers,
        rows=_side_by_side(answers)[:SHOWN],
        to=links,
    )


class SideBySide(NamedTuple):
    """A line that moves in one of the scenarios: today, and in each of them."""

    line: OpenLine
    before: dt.date | None
    after: tuple[dt.date | None, ...]


def _side_by_side(answers: Sequence[whatif.Answer]) -> list[SideBySide]:
    moved = [{one.line.id: one for one in answer.moved} for answer in answers]
    found = {key: one for each in moved for key, one in each.items()}
    rows = [
        SideBySide(
            one.line,
            one.before,
            tuple(each[key].after if key in each else one.before for each in moved),
        )
        for key, one in found.items()
    ]
    return sorted(rows, key=lambda row: (row.line.wanted_on, row.line.key))


def _levers(measures: Sequence[Measure], answer: whatif.Answer) -> list[Lever]:
    return [
        Lever(
            text_of(one),
            one.sentence(),
            HINTS.get(type(one)),
            answer.refused.get(one),
            _outcome(one, answer),
            answer.prices.get(one),
        )
        for one in measures
    ]


def _outcome(measure: Measure, answer: whatif.Answer) -> Message | None:
    """What comes of a measure itself: a rush order's day, a split's first part, what is taken."""
    if isinstance(measure, Rush) and measure in answer.rushes:
        on = answer.rushes[measure]
        if on is None:
            return Message("It is not there within the plan.")
        return Message("It is there on %(day)s.", day=on)
    if isinstance(measure, Split) and answer.ahead.get(measure.line) is not None:
        return Message("They arrive on %(day)s.", day=answer.ahead[measure.line])
    if isinstance(measure, Substitute | OtherSite) and measure in answer.taken:
        qty, lines = answer.taken[measure]
        if not qty:
            return NOTHING_TAKEN
        named = ", ".join(lines[:NAMED]) + (" …" if len(lines) > NAMED else "")
        return Message(
            "Stands in for %(qty)s of %(item)s: %(lines)s",
            qty=show_decimal(qty),
            item=measure.item,
            lines=named or Message("quotes and rush orders"),
        )
    return None


def _plot(load: CenterLoad) -> dict[str, Any]:
    """Hours that the plan takes per week, as it is and with the scenario, and what there is."""

    def series(word: Message, hours: Iterable[Decimal], **more: str) -> dict[str, Any]:
        return {"name": say(word), "data": [float(round(one)) for one in hours], **more}

    return {
        "categories": [f"W{week.week.isocalendar().week}" for week in load.before],
        "unit": "h",
        "series": [
            series(WITHOUT, (one.load for one in load.before), kind="bar", color="data-4"),
            series(WITH, (one.load for one in load.after), kind="bar", color="sim"),
            series(CAPACITY, (one.capacity for one in load.after), kind="step", color="ink"),
        ],
    }


def _swap_url(measures: Sequence[Measure], line: str, answer: whatif.Answer) -> str:
    return url_of([*measures, Last(answer.swap.line)], line) if answer.swap else ""
