"""Measures as texts: what is written is read again, and nothing else is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from b2bcrm.fulfillment.planning.engine.records import Strategy
from b2bcrm.fulfillment.planning.measures import (
    MOST,
    Allocate,
    Down,
    First,
    Last,
    Move,
    OtherSite,
    Overtime,
    Rush,
    Split,
    Substitute,
    measure_of,
    measures_of,
    text_of,
)
from tests.fulfillment.conftest import day

D = Decimal
EVERY = [
    Move("PO-33107", day("11-25")),
    Overtime("G-2", day("11-28"), day("12-05"), D("2.5")),
    Down("G-2", day("11-28"), day("11-28")),
    Rush("a~b /ß&=", D("12.5"), day("12-01")),
    First("SO-26-10463/10"),
    Last("SO-26-10463/10"),
    Split("SO-26-10463/10", D(5)),
    Allocate("PG-115", Strategy.WIN, Strategy.FILL, Strategy.LOSE),
    Substitute("BRG-6205", "BRG~6305", D("1.5")),
    OtherSite("PG-115", "TC", "KS", 3),
]


@pytest.mark.parametrize("measure", EVERY)
def test_what_is_written_is_read_again(measure):
    text = text_of(measure)
    assert text.isascii()
    assert " " not in text
    assert measure_of(text) == measure
    assert str(measure.sentence())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "move",
        "move~PO-1",
        "move~PO-1~soon",
        "move~~2026-11-25",
        "move~PO-1~2026-11-25~more",
        "explode~PO-1~2026-11-25",
        "overtime~G-2~2026-11-28~2026-11-27~2",
        "overtime~G-2~2026-11-28~2026-11-28~25",
        "overtime~G-2~2026-11-28~2026-11-28~-2",
        "down~G-2~2026-11-28~2026-11-27",
        "rush~A~0~2026-11-28",
        "rush~A~NaN~2026-11-28",
        "rush~A~1e9~2026-11-28",
        "rush~A~0.0001~2026-11-28",
        "split~SO-1/10~many",
        "substitute~A~B~0",
        "substitute~A~B~1001",
        "substitute~A~~1",
        "other_site~A~TC~KS~-1",
        "other_site~A~TC~KS~1.5",
        "other_site~A~TC~KS~251",
        f"first~{'x' * 61}",
    ],
)
def test_what_says_nothing_is_refused(text):
    assert measures_of([text]) == []


def test_a_measure_counts_once_and_there_are_not_too_many():
    text = text_of(EVERY[0])
    assert measures_of([text, text]) == [EVERY[0]]
    assert len(measures_of(f"first~SO-{n}" for n in range(MOST + 5))) == MOST
