"""Odds of the coming weeks: planted errors come out as they were planted."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from b2bcrm.fulfillment.planning.atp import WORK
from b2bcrm.fulfillment.planning.figures import Promised
from b2bcrm.fulfillment.planning.odds import ENOUGH, Errors, History, coming
from b2bcrm.fulfillment.planning.plant import Document, Kept, Level, OpenLine
from tests.fulfillment.test_plant import PLANT, on

D = Decimal
LINES = 40


def line(n: int, **facts) -> OpenLine:
    """Ten pumps, promised for day 14 at our door."""
    values = {
        "ref": f"E-{n}/10",
        "no": f"SO-{n}/10",
        "item": "PUMP",
        "site": "TC",
        "qty": D(10),
        "kept": D(0),
        "wish": on(14),
        "customer_class": "B",
        "promise": on(14),
        "entry": (on(0), n),
    }
    return OpenLine(**(values | facts))


def made_for(n: int, due: dt.date, left: int = 10) -> Document:
    return Document(
        WORK, f"WO-{n}", "PUMP", "TC", D(left), D(left), on(0), due, f"E-{n}/10", waits=False
    )


def history(**seen: list[int]) -> History:
    """Errors by kind, each often enough to count; every work order is ``made``, lines ``out``."""
    errors = Errors()
    for kind, values in seen.items():
        for error in values * ENOUGH:
            errors.add((kind,), error)
    numbers = range(LINES)
    return History(
        errors, {f"WO-{n}": ("made",) for n in numbers}, {f"SO-{n}/10": ("out",) for n in numbers}
    )


def odds(past: History, *, due: int = 11, promised: int = 14, **more):
    rows = replace(
        PLANT,
        lines=[line(n) for n in range(LINES)],
        documents=[made_for(n, on(due)) for n in range(LINES)],
        **more,
    )
    wanted = [Promised(one.no, on(promised), good=False) for one in rows.lines]
    return coming(rows, past, wanted)


def test_without_errors_the_documents_days_are_kept():
    assert odds(history(made=[0])) == (LINES, 100, 100, 100)
    assert odds(history(made=[0]), due=15) == (LINES, 0, 0, 0)


def test_work_that_is_late_half_the_time_keeps_half_of_the_promises_and_the_band_is_binomial():
    found = odds(history(made=[0, 8]))
    assert found.middle == pytest.approx(50, abs=3)
    assert found.low == pytest.approx(40, abs=3)  # 40 lines: 20 ± 1.28 · 3.2
    assert found.high == pytest.approx(60, abs=3)


def test_the_way_out_errs_on_top():
    assert odds(history(made=[0], out=[2])).middle == 0
    assert odds(history(made=[5], out=[-5]), due=8).middle == 100


def test_what_is_overdue_is_known_not_to_have_come():
    """Due ten weekdays ago: three of four such had come by now, the fourth takes ten more."""
    past = history(made=[0, 0, 0, 20])
    assert [odds(past, due=-14, promised=day).middle for day in (14, 21)] == [0, 100]


def test_documents_pegged_to_a_line_serve_nobody_else():
    rows = replace(PLANT, lines=[line(0, ref=""), line(1)], documents=[made_for(1, on(9), 20)])
    wanted = [Promised(one.no, on(14), good=True) for one in rows.lines]
    assert coming(rows, history(made=[0]), wanted).middle == 50


def test_what_is_reserved_has_to_leave_in_time():
    rows = replace(
        PLANT,
        lines=[line(0, ref="", kept=D(10), transit=3, receiving="1111100")],
        levels=[Level("PUMP", "TC", D(10), D(0))],
        documents=[made_for(9, on(9))._replace(demand_ref="")],  # something that errs
        kept=[Kept("R/1/x", 1, "SO-0/10", "PUMP", "TC", D(10), on(7), fresh=False)],
    )
    promises = [[Promised("SO-0/10", on(day), good=False)] for day in (11, 10, 13)]
    assert [coming(rows, history(made=[0]), one).middle for one in promises] == [100, 0, 100]


def test_lines_that_the_plan_does_not_know_count_as_projected():
    wanted = [Promised("SO-8/10", on(3), good=True), Promised("SO-9/10", on(3), good=False)]
    assert coming(PLANT, history(made=[0]), wanted) is None  # nothing that could err
    rows = replace(PLANT, lines=[line(0)], documents=[made_for(0, on(30))])
    found = coming(rows, history(made=[0]), wanted)
    assert (found.lines, found.middle) == (2, 50)


def test_a_kind_of_few_says_what_its_parent_says():
    errors = Errors()
    for n in range(ENOUGH):
        errors.add(("bought", "V1"), 1)
        errors.add(("bought", f"V{n}"), 5)
    assert set(errors.of(("bought", "V1"))) == {1, 5}
    assert len(errors.of(("bought", "V1"))) == ENOUGH + 1
    assert len(errors.of(("bought", "V2"))) == 2 * ENOUGH
    assert errors.of(("made", "PG")) == []


def test_the_same_rows_give_the_same_odds():
    past = history(made=[0, 1, 3, 8], out=[0, 1])
    assert odds(past) == odds(past)
