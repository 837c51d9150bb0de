"""Stories of a substitute and of another site in a scenario: what is taken, and what is refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.engine.solving import solve
from b2bcrm.fulfillment.planning.ground import Ground
from b2bcrm.fulfillment.planning.measures import OtherSite, Split, Substitute
from b2bcrm.fulfillment.planning.plant import (
    BUY,
    MAKE,
    BomLine,
    Center,
    ItemRow,
    Level,
    OpenLine,
    Rows,
    Step,
    sites_by_item,
)
from b2bcrm.fulfillment.planning.scenario import tried
from b2bcrm.fulfillment.planning.stand_ins import Taken
from b2bcrm.fulfillment.planning.telling import tell
from b2bcrm.kernel.calendar import WorkCalendar

D = Decimal
TODAY = dt.date(2026, 11, 16)  # a Monday


def on(days: int) -> dt.date:
    return TODAY + dt.timedelta(days=days)


def line(no, item, qty, wish, site="TC"):
    return OpenLine("", no, item, site, D(qty), D(0), on(wish), "A", on(wish), (TODAY, 1))


# A pump is milled in a day and polished the next from one shaft, of which four are at TC. Anything
# bought takes twelve weeks.
PLANT = Rows(
    today=TODAY,
    items=[
        ItemRow("PUMP", MAKE, "PCS", 20, D(1)),
        ItemRow("SHAFT", BUY, "PCS", 60, D(1)),
        ItemRow("AXLE", BUY, "PCS", 60, D(1)),
        ItemRow("BAR", BUY, "M", 60, D(1)),
        ItemRow("FAR", BUY, "PCS", 60, D(1)),
    ],
    bom=[BomLine("PUMP", "SHAFT", D(1), D(0), "PCS")],
    steps=[Step("PUMP", 10, "M-1", D(0), D("0.1")), Step("PUMP", 20, "M-1", D(0), D("0.1"))],
    centers=[Center("M-1", "TC", D(8), "TW")],
    levels=[
        Level("SHAFT", "TC", D(4), D(0)),
        Level("SHAFT", "KS", D(10), D(0)),
        Level("AXLE", "TC", D(20), D(0)),
        Level("BAR", "TC", D(3), D(0)),
        Level("FAR", "KS", D(20), D(0)),
    ],
    lines=[line("SO-1/10", "PUMP", 4, 10), line("SO-2/10", "PUMP", 6, 11)],
    calendars={"TW": WorkCalendar("TW")},
    site_calendars={"TC": "TW", "KS": "TW"},
)


def ground(**more) -> Ground:
    told = tell(replace(PLANT, **more))
    book, names, _ = build(told.facts)
    plan = Planned(book, names, solve(book))
    return Ground(plan, TODAY, told.scales, {name: name for name in names.lines}, values={})


def stands_in(measure, **more):
    """What is taken by the measure, and the days of the lines it moves."""
    found = tried(ground(**more), [measure])
    moved = {key: day for key, day in found.after.items() if day != found.before[key]}
    return found.taken[measure], moved


def test_a_substitute_is_taken_only_for_what_is_short():
    taken, moved = stands_in(Substitute("SHAFT", "AXLE", D(2)))
    assert taken == Taken(D(6), ["SO-2/10"])
    assert moved == {"SO-2/10": on(11)}


def test_a_substitute_fills_up_what_is_there():
    taken, moved = stands_in(Substitute("SHAFT", "AXLE", D(1)), lines=[line("A", "PUMP", 6, 11)])
    assert taken == Taken(D(2), ["A"])
    assert moved == {"A": on(11)}


def test_nobody_who_has_the_item_in_time_gets_a_substitute():
    taken, moved = stands_in(Substitute("SHAFT", "AXLE", D(1)), lines=[line("A", "PUMP", 4, 11)])
    assert (taken, moved) == (Taken(D(0), []), {})


def test_a_substitute_that_is_not_there_in_time_either_is_left_alone():
    taken, moved = stands_in(Substitute("SHAFT", "AXLE", D(4)))  # 24 of 20
    assert (taken.qty, moved) == (0, {})


def test_a_ratio_counts_in_the_units_of_both_items():
    taken, moved = stands_in(Substitute("SHAFT", "BAR", D("0.5")))  # half a metre each
    assert taken == Taken(D(6), ["SO-2/10"])
    assert moved == {"SO-2/10": on(11)}
    taken, moved = stands_in(Substitute("SHAFT", "BAR", D("0.501")))
    assert (taken.qty, moved) == (0, {})


def test_what_another_site_has_free_comes_after_its_days_on_the_way():
    taken, moved = stands_in(OtherSite("SHAFT", "TC", "KS", 3))
    assert taken == Taken(D(6), ["SO-2/10"])
    assert moved == {"SO-2/10": on(11)}
    taken, moved = stands_in(OtherSite("SHAFT", "TC", "KS", 10))
    assert taken == Taken(D(6), ["SO-2/10"])
    assert moved == {"SO-2/10": on(17)}  # ten working days, two of work, one to leave


def test_what_another_site_has_ready_stands_in_for_what_cannot_be_made_in_time():
    ready = Level("PUMP", "KS", D(10), D(0))
    taken, moved = stands_in(OtherSite("PUMP", "TC", "KS", 3), levels=[*PLANT.levels, ready])
    assert taken.lines == ["SO-2/10"]
    assert moved == {"SO-2/10": on(11)}


def test_who_needs_it_at_the_other_site_pays():
    theirs = line("SO-3/10", "SHAFT", 8, 30, site="KS")
    taken, moved = stands_in(OtherSite("SHAFT", "TC", "KS", 3), lines=[*PLANT.lines, theirs])
    assert taken == Taken(D(6), ["SO-2/10"])
    assert moved["SO-2/10"] == on(11)
    assert moved["SO-3/10"] > on(60)


def test_the_rest_of_a_line_that_is_split_counts_for_the_line():
    measure = Substitute("SHAFT", "AXLE", D(1))
    found = tried(
        ground(lines=[line("A", "PUMP", 6, 11)]),
        [Split("A", D(4)), measure],
    )
    assert found.taken[measure] == Taken(D(2), ["A"])


@pytest.mark.parametrize(
    ("measure", "why"),
    [
        (Substitute("SHAFT", "SHAFT", D(1)), "An item cannot stand in for itself."),
        (Substitute("NONE", "AXLE", D(1)), "NONE is not in the plan."),
        (Substitute("SHAFT", "NONE", D(1)), "NONE is not in the plan."),
        (Substitute("PUMP", "FAR", D(1)), "FAR is at none of the sites of PUMP."),
        (
            Substitute("SHAFT", "PUMP", D(1)),
            "SHAFT goes into PUMP or stands in for it, so it cannot be the other way round.",
        ),
        (OtherSite("SHAFT", "TC", "TC", 3), "A site cannot stand in for itself."),
        (OtherSite("NONE", "TC", "KS", 3), "NONE is not in the plan."),
        (OtherSite("PUMP", "TC", "KS", 3), "PUMP is not at KS in the plan."),
        (OtherSite("PUMP", "<b>", "TC", 3), "PUMP is not at <b> in the plan."),
    ],
)
def test_what_cannot_stand_in_is_refused_with_a_sentence(measure, why):
    assert str(tried(ground(), [measure]).refused[measure]) == why


def test_two_sites_do_not_wait_for_each_other():
    there, back = OtherSite("SHAFT", "TC", "KS", 3), OtherSite("SHAFT", "KS", "TC", 3)
    found = tried(ground(), [there, back])
    assert list(found.refused) == [back]
    assert str(found.refused[back]) == "What TC has of SHAFT comes from KS."
    assert found.taken[there].qty == 6


def elsewhere(levels):
    """Other sites among the ways, which are tried first."""
    few = iter([True])
    told = tried(ground(levels=levels), [], "SO-2/10", go_on=lambda: next(few, False))
    return [way for way in told.ways if isinstance(way.measure, OtherSite)]


def test_another_site_that_would_help_is_named_with_what_is_gained_at_most():
    (way,) = elsewhere(PLANT.levels)
    assert way.measure == OtherSite("SHAFT", "TC", "KS", 0)
    found = tried(ground(), [way.measure])
    assert (found.before["SO-2/10"] - found.after["SO-2/10"]).days == way.gained
    here = Level("SHAFT", "TC", D(4), D(0))
    assert elsewhere([here, Level("SHAFT", "KS", D(5), D(0))]) == []
    assert elsewhere([here, Level("AXLE", "KS", D(50), D(0))]) == []


def test_work_in_progress_is_at_no_site():
    parts = ground().plan.names.parts
    assert len([part for part in parts if part.startswith("PUMP@")]) == 2
    sites = sites_by_item(parts)
    assert (sites["PUMP"], sites["SHAFT"]) == (["TC"], ["TC", "KS"])
