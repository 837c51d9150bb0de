"""A plan is stored as bytes, and those of another version are not taken for a plan."""

from __future__ import annotations

import io

import numpy as np

from b2bcrm.fulfillment.planning.engine.plan import plan_of
from b2bcrm.fulfillment.planning.packing import Packed, pack, readable, unpack
from tests.scenarios.plant import facts, receipt, tell
from tests.scenarios.test_shipments import in_two


def packed() -> Packed:
    story = tell(facts(in_two("a"), supplies=[receipt("pump", 6, 0), receipt("pump", 9, 12)]))
    return Packed(story.book, story.names, story.ledger, {"oil": 1000})


def test_a_plan_that_was_packed_is_the_plan():
    before = packed()
    after = unpack(pack(before))
    assert (after.names, after.scales) == (before.names, before.scales)
    ours, theirs = plan_of(before.book, before.ledger), plan_of(after.book, after.ledger)
    assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))


def test_a_plan_of_a_version_with_other_arrays_is_not_readable():
    now = pack(packed())
    with np.load(io.BytesIO(now)) as stored:
        older = {name: stored[name] for name in stored.files if name != "book_line_least"}
    out = io.BytesIO()
    np.savez_compressed(out, **older)
    assert (readable(now), readable(out.getvalue())) == (True, False)
