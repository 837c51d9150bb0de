"""Stories of delivery policies: whole, in two shipments of a least size, in one ratio."""

from __future__ import annotations

import pytest

from b2bcrm.fulfillment.planning.engine.checking import check
from b2bcrm.fulfillment.planning.engine.records import Line, Supply
from tests.scenarios.plant import Story, buy, facts, make, receipt, tell, weeks

SIX_AND_NINE = [Supply("pump", 6), receipt("pump", 9, 12)]
FOUR_PUMPS = [Supply("pump", 4), Supply("hose", 20), receipt("pump", 9, 12)]


def ahead(story: Story) -> dict[str, int]:
    """Pieces of each line that leave when it is due, while the rest is late."""
    return dict(zip(story.names.lines, story.plan.line_ahead.tolist(), strict=True))


def in_two(name: str, part: str = "pump", qty: int = 10, **more: object) -> Line:
    """A line for day 5 that may leave in two shipments."""
    return Line(name, part, qty, 5, shipments=2, **more)


def test_a_line_leaves_whole_unless_it_is_told_otherwise():
    story = tell(facts(Line("a", "pump", 10, 5), supplies=SIX_AND_NINE))
    assert (story.arrives("a"), ahead(story)) == (12, {"a": 0})


def test_what_is_there_in_time_is_sent_ahead_and_the_rest_follows():
    story = tell(facts(in_two("a"), supplies=SIX_AND_NINE))
    assert (story.arrives("a"), ahead(story)) == (12, {"a": 6})


def test_what_can_be_made_in_time_is_sent_ahead_too():
    story = tell(facts(in_two("a", qty=25), sources=[make("pump", 1, 1)], buckets=weeks(10)))
    assert (story.arrives("a"), ahead(story)) == (15, {"a": 10})


def test_a_line_that_can_be_whole_in_time_is_not_cut():
    story = tell(facts(in_two("a", qty=6), supplies=SIX_AND_NINE))
    assert (story.arrives("a"), ahead(story)) == (5, {"a": 0})


@pytest.mark.parametrize(("least", "sent"), [(4, 6), (5, 5), (6, 0), (11, 0)])
def test_neither_shipment_is_below_the_least(least, sent):
    story = tell(facts(in_two("a", least=least), supplies=SIX_AND_NINE))
    assert (story.arrives("a"), ahead(story)) == (12, {"a": sent})


def test_nothing_is_sent_ahead_of_what_cannot_follow():
    story = tell(facts(in_two("a", max_late=6), supplies=SIX_AND_NINE))
    assert (story.arrives("a"), ahead(story)) == (-1, {"a": 0})


def test_what_is_sent_ahead_takes_nothing_from_one_that_can_be_on_time():
    told = facts(in_two("a", rank=0), Line("b", "pump", 4, 6, rank=1), supplies=SIX_AND_NINE)
    story = tell(told)
    assert (story.arrives("b"), ahead(story)) == (6, {"a": 2, "b": 0})


def test_lines_that_leave_together_are_cut_in_one_ratio():
    lines = [in_two("a", together="S"), in_two("b", "hose", 20, together="S")]
    story = tell(facts(*lines, supplies=FOUR_PUMPS))
    assert ahead(story) == {"a": 4, "b": 8}
    assert (story.arrives("a"), story.arrives("b")) == (12, 12)


def test_lines_that_no_ratio_cuts_into_whole_pieces_leave_whole():
    lines = [in_two("a", together="S"), in_two("b", "hose", 19, together="S")]
    assert ahead(tell(facts(*lines, supplies=FOUR_PUMPS))) == {"a": 0, "b": 0}


def test_one_line_that_leaves_whole_keeps_those_with_it_whole():
    lines = [in_two("a", together="S"), Line("b", "hose", 20, 5, together="S")]
    assert ahead(tell(facts(*lines, supplies=FOUR_PUMPS))) == {"a": 0, "b": 0}


def test_an_answer_keeps_to_the_least_shipment():
    story = tell(facts(sources=[buy("pump", 30)], supplies=SIX_AND_NINE))
    asked = [in_two(f"least {least}", least=least) for least in (1, 5, 6)]
    answers = story.ask(*asked)
    assert [(a.by_wish, a.rest_on, a.full_on) for a in answers] == [
        (6, 12, 12),
        (5, 12, 12),
        (0, 12, 12),
    ]


@pytest.mark.parametrize(
    ("lines", "sent", "finding"),
    [
        ([Line("a", "pump", 10, 5)], [4], "to leave whole"),
        ([in_two("a", least=4)], [3], "below the least"),
        ([in_two("a", least=4)], [7], "below the least"),
        ([in_two("a", together="S"), in_two("b", "hose", 20, together="S")], [4, 7], "ratio"),
        ([in_two("a", qty=4)], [2], "not late"),
    ],
)
def test_the_verifier_knows_the_policy(lines, sent, finding):
    story = tell(facts(*lines, supplies=FOUR_PUMPS))
    faults = check(story.book, story.plan._replace(line_ahead=story.plan.line_ahead * 0 + sent))
    assert finding in " ".join(faults)
