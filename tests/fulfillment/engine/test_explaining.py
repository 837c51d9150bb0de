"""What lines rest on: every peg of the plan once, and back from a supply to its lines."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from b2bcrm.fulfillment.planning.engine.explaining import lines_on, witness_of
from b2bcrm.fulfillment.planning.engine.records import Component, Line
from tests.fulfillment.engine.plants import plants
from tests.scenarios.plant import buy, facts, make, receipt, tell, weeks


def pump():
    """Two pumps of a body each; the body is bought, one is on its way."""
    return tell(
        facts(
            Line("a", "pump", 1, 6, 1),
            Line("b", "pump", 2, 30, 2),
            sources=[make("pump", 1, 2, Component("body")), buy("body", 20)],
            supplies=[receipt("body", 1, 3, "PO7")],
            buckets=weeks(10),
        )
    )


def tree(story, line: str):
    """Rows of a line: part, what, pieces, start, end, hours, slack, and the row it serves."""
    witness, names = witness_of(story.book, story.plan), story.names
    n = names.lines.index(line)
    first, last = witness.line_first[n], witness.line_first[n + 1]
    return [
        (
            names.parts[witness.part[row]],
            names.supplies[witness.supply[row]] if witness.supply[row] >= 0 else "planned",
            *(
                int(getattr(witness, name)[row])
                for name in ("qty", "start", "end", "hours", "slack")
            ),
            int(witness.serves[row] - first) if witness.serves[row] >= 0 else -1,
        )
        for row in range(first, last)
    ]


def test_a_line_rests_on_a_work_order_to_come_and_on_a_purchase_order():
    assert tree(pump(), "a") == [
        ("pump", "planned", 1, 5, 6, 2000, 5, -1),
        ("body", "PO7", 1, 5, 5, 0, 2, 0),
    ]


def test_what_is_still_to_be_bought_stands_under_what_needs_it():
    assert tree(pump(), "b") == [
        ("pump", "planned", 2, 29, 30, 4000, 29, -1),
        ("body", "planned", 2, 9, 29, 0, 9, 0),
    ]


def test_a_purchase_order_leads_to_the_lines_that_rest_on_it():
    story = pump()
    witness = witness_of(story.book, story.plan)
    impact = lines_on(witness, supplies=[0])
    assert [int(column[0]) for column in impact] == [story.names.lines.index("a"), 1, 5, 2]
    assert len(impact.line) == 1


def test_a_work_centre_leads_to_the_lines_that_work_there_in_those_days():
    story = pump()
    witness = witness_of(story.book, story.plan)
    assert len(lines_on(witness, centres=[0]).line) == 2
    assert len(lines_on(witness, centres=[0], days=(20, 40)).line) == 1
    assert len(lines_on(witness, centres=[0], days=(60, 90)).line) == 0
    assert len(lines_on(witness).line) == 0


@given(plants())
@settings(max_examples=60)
def test_the_pegs_of_all_lines_are_the_plan_and_each_stands_in_its_line(told):
    story = tell(told)
    book, plan = story.book, story.plan
    witness = witness_of(book, plan)
    assert witness.line_first[-1] == len(plan.order_source) + len(plan.take_part)
    taken = witness.supply >= 0
    given_out = np.bincount(
        witness.supply[taken], witness.qty[taken], minlength=len(book.supply_qty)
    )
    assert (given_out <= book.supply_qty).all()
    assert (witness.slack >= 0).all()
    for line in range(len(plan.line_leaves)):
        first, last = witness.line_first[line], witness.line_first[line + 1]
        assert (last > first) == (plan.line_leaves[line] >= 0)
        rows = range(first, last)
        top = [row for row in rows if witness.serves[row] < 0]
        assert sum(witness.qty[top]) == (book.line_qty[line] if top else 0)
        assert all(witness.part[row] == book.line_part[line] for row in top)
        for row in set(rows) - set(top):
            assert first <= witness.serves[row] < row
            assert witness.end[row] <= witness.start[witness.serves[row]]
