"""What stands of lines that leave together or in two: their day, what it rests on, no trace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from b2bcrm.fulfillment.planning.atp import CAPACITY
from b2bcrm.fulfillment.planning.engine.records import Component, Line, Supply
from b2bcrm.fulfillment.planning.packing import Packed
from b2bcrm.fulfillment.planning.standing import Standing
from b2bcrm.fulfillment.planning.takes import Take, Wish
from tests.fulfillment.engine.plants import plants
from tests.scenarios.plant import buy, facts, make, receipt, tell, weeks


def stands(told) -> Standing:
    story = tell(told)
    return Standing(Packed(story.book, story.names, story.ledger, {}))


def pair(*, pumps: int = 10, hoses: int = 20, **more: object) -> list[Line]:
    """Pumps and hoses wanted together on day 5."""
    more = {"together": "SO-1|A"} | more
    return [Line("SO-1/10", "pump", pumps, 5, **more), Line("SO-1/20", "hose", hoses, 5, **more)]


PUMPS_COME_LATE = [Supply("hose", 20, ref="stock|"), receipt("pump", 10, 12, "purchase_order|PO-1")]
LATE = {"supplies": PUMPS_COME_LATE, "sources": [buy("pump", 60), buy("hose", 60)]}


def state(standing: Standing) -> list[list[int]]:
    """Everything that is free, and where every unit stands."""
    ledger = standing._ledger
    arrays = (ledger.slot_free, ledger.bucket_free, ledger.unit_day, ledger.unit_ahead)
    return [array.tolist() for array in arrays]


def test_lines_that_leave_together_have_one_day():
    standing = stands(facts(*pair(), **LATE))
    assert [standing.day(name) for name in ("SO-1/10", "SO-1/20")] == [12, 12]
    assert [standing.due(name) for name in ("SO-1/10", "SO-1/20")] == [5, 5]


def test_each_rests_on_its_own_supply():
    standing = stands(facts(*pair(), **LATE))
    pump, hose = standing.told("SO-1/10"), standing.told("SO-1/20")
    assert (pump.part, pump.pieces, pump.takes) == (
        "pump",
        10,
        [Take("purchase_order", "PO-1", 10, 12)],
    )
    assert (hose.part, hose.pieces, hose.takes) == ("hose", 20, [Take("stock", "", 20, 0)])


def test_of_the_line_that_could_leave_before_it_is_told_for_which_it_waits():
    standing = stands(facts(*pair(), **LATE))
    assert standing.told("SO-1/20").waits_for == "SO-1/10"
    assert standing.told("SO-1/10").waits_for == ""


def test_what_decides_their_day_may_be_a_component_of_the_other():
    standing = stands(
        facts(
            *pair(),
            sources=[make("pump", 1, 1, Component("shaft")), buy("shaft", 60), buy("hose", 1)],
            supplies=[Supply("hose", 20), receipt("shaft", 10, 12, "purchase_order|PO-2")],
            buckets=weeks(40),
        )
    )
    shaft = Take("purchase_order", "PO-2", 10, 12, "shaft")
    assert standing.told("SO-1/10").decides == standing.told("SO-1/20").decides == shaft
    assert standing.told("SO-1/20").waits_for == "SO-1/10"


def test_where_both_wait_for_the_same_hours_each_does_for_its_own():
    made = [make("pump", 1, 1), make("hose", 1, 1)]
    standing = stands(facts(*pair(), sources=made, buckets=weeks(10)))
    for name in ("SO-1/10", "SO-1/20"):
        told = standing.told(name)
        assert (told.waits_for, told.decides.kind) == ("", CAPACITY)


def test_pieces_that_are_sent_ahead_are_told_in_the_ratio_of_the_lines():
    supplies = [Supply("pump", 4), *PUMPS_COME_LATE]
    standing = stands(facts(*pair(shipments=2), **LATE | {"supplies": supplies}))
    assert [standing.told(name).ahead for name in ("SO-1/10", "SO-1/20")] == [4, 8]
    assert standing.day("SO-1/10") == 12
    assert sum(take.qty for take in standing.told("SO-1/10").takes) == 10


def test_a_line_without_a_day_is_known_and_has_none():
    standing = stands(facts(*pair(max_late=6), **LATE))
    assert standing.plans("SO-1/20")
    assert standing.day("SO-1/20") is None
    assert not standing.plans("SO-1/30")


def test_what_is_kept_and_given_back_leaves_lines_that_leave_together_where_they_were():
    supplies = [Supply("pump", 4), *PUMPS_COME_LATE]
    standing = stands(facts(*pair(shipments=2), **LATE | {"supplies": supplies}))
    standing.offers([Wish(["pump"], 1, 5)])
    before = [standing.day("SO-1/10"), standing.told("SO-1/10")]
    assert standing.keep("R/1", "pump", 3, 90, fresh=True)
    assert standing.told("R/1").waits_for == ""
    assert [standing.day("SO-1/10"), standing.told("SO-1/10")] == before
    standing.give_back("R/1")
    assert not standing.plans("R/1")
    assert [standing.day("SO-1/10"), standing.told("SO-1/10")] == before


@pytest.mark.parametrize("shipments", [1, 2])
def test_telling_leaves_no_trace(shipments):
    supplies = [Supply("pump", 4), *PUMPS_COME_LATE]
    standing = stands(facts(*pair(shipments=shipments), **LATE | {"supplies": supplies}))
    before = state(standing)
    told = [standing.told(name) for name in ("SO-1/10", "SO-1/20")]
    assert state(standing) == before
    assert [standing.told(name) for name in ("SO-1/10", "SO-1/20")] == told


@settings(max_examples=20, deadline=None)
@given(plants())
def test_every_planned_line_rests_on_as_many_pieces_as_it_asks_for(told):
    # What stands in is told by its own name, and may be more or fewer pieces.
    told = replace(told, sources=[one for one in told.sources if not one.stands_in])
    standing = stands(told)
    before = state(standing)
    for line in told.lines:
        if standing.day(line.name) is not None:
            found = standing.told(line.name)
            own = [take.qty for take in found.takes if not take.part and take.kind != CAPACITY]
            assert sum(own) == found.pieces == line.qty
            assert found.waits_for in {"", *(ln.name for ln in told.lines if ln.together)}
    assert np.array_equal(state(standing)[2], before[2])
