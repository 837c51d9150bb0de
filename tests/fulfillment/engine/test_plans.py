"""Every plan that is solved or improved passes the verifier; an answer disturbs none."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.checking import check
from b2bcrm.fulfillment.planning.engine.improving import (
    guards,
    improve,
    lines_first,
    lost,
    money,
)
from b2bcrm.fulfillment.planning.engine.ledger import FULL, opened, with_room
from b2bcrm.fulfillment.planning.engine.plan import plan_of, score
from b2bcrm.fulfillment.planning.engine.records import (
    Bucket,
    Cap,
    Facts,
    Kind,
    Line,
    Operation,
    Part,
    Source,
)
from b2bcrm.fulfillment.planning.engine.solving import place_early, run_steps, solve, steps_of
from tests.fulfillment.engine.plants import plants
from tests.scenarios.plant import tell


@given(plants())
@settings(max_examples=150)
def test_every_greedy_plan_passes_the_verifier(facts):
    tell(facts)


@given(plants(), st.sampled_from([lines_first, money]), st.integers(0, 1000))
@settings(max_examples=60)
def test_an_improved_plan_passes_the_verifier_and_is_never_worse(facts, stakes_of, seed):
    book, _, _ = build(facts)
    greedy, stakes = solve(book), stakes_of(book)
    guard = guards(book, greedy, 2)
    better, _ = improve(
        book, greedy, guard, stakes, fill=lambda n: n < 128, shorten=lambda n: n < 128, seed=seed
    )
    assert check(book, plan_of(book, better)) == []
    assert lost(book, better, stakes) <= lost(book, greedy, stakes)
    kept = (book.unit_priority <= 2) & (greedy.unit_day >= 0)
    assert (better.unit_day[kept] <= greedy.unit_day[kept]).all()
    assert (better.unit_day[kept] >= 0).all()


@given(plants(), plants())
@settings(max_examples=60)
def test_an_answer_leaves_no_trace_and_keeps_its_word(facts, other):
    story = tell(facts)
    before = [array.copy() for array in story.ledger]
    lines = [line for line in other.lines if not line.together]
    answers = story.ask(*lines)
    assert all((a == b).all() for a, b in zip(before, story.ledger, strict=True))
    assert answers == story.ask(*lines)
    for line, answer in zip(lines, answers, strict=True):
        assert 0 <= answer.by_wish <= line.qty
        if answer.by_wish == line.qty:
            assert answer.full_on is not None
        if answer.full_on is None:
            assert answer.by_wish < line.qty


@given(plants())
@settings(max_examples=30)
def test_the_same_book_and_rounds_give_the_same_plan(facts):
    def planned():
        book, _, _ = build(facts)
        plan = solve(book)
        guard = guards(book, plan, 2)
        better, _ = improve(
            book, plan, guard, money(book), fill=lambda n: n < 128, shorten=lambda n: n < 128
        )
        return plan_of(book, better)

    assert all((a == b).all() for a, b in zip(planned(), planned(), strict=True))


def bottleneck() -> Facts:
    """Ten hours a week: one big line first in service, ten small ones due the same week."""
    step = Operation("mill", Fraction(1000))
    big = Line("big", "pump", 10, 7, 3, rank=0)
    small = [Line(f"s{n}", "pump", 1, 7, 3, rank=1) for n in range(10)]
    return Facts(
        horizon=70,
        parts=[Part("pump")],
        sources=[Source("pump", Kind.MAKE, 1, operations=[step])],
        lines=[big, *small],
        buckets=[Bucket("mill", 7 * n, 7 * n + 7, 10_000) for n in range(10)],
    )


def test_improvement_lets_one_big_line_wait_for_ten_small_ones():
    book, _, _ = build(bottleneck())
    greedy = solve(book)
    assert score(book, plan_of(book, greedy)).on_time == 1
    better, rounds = improve(
        book,
        greedy,
        guards(book, greedy, 2),
        lines_first(book),
        fill=lambda n: n < 2048,
        shorten=lambda n: n < 128,
    )
    assert rounds == 2048 + 128
    assert score(book, plan_of(book, better)).on_time == 10


def test_a_kept_promise_is_not_given_up_for_many():
    book, _, _ = build(bottleneck())
    greedy = solve(book)
    same, _ = improve(
        book,
        greedy,
        guards(book, greedy, 3),
        lines_first(book),
        fill=lambda n: n < 512,
        shorten=lambda n: n < 128,
    )
    assert score(book, plan_of(book, same)).on_time == 1


@pytest.mark.parametrize(("value", "late"), [(1, "big"), (1000, "small")])
def test_where_money_counts_the_dear_line_waits_for_nobody(value, late):
    told = bottleneck()
    lines = [replace(line, value=value if line.name == "big" else 10) for line in told.lines]
    book, names, _ = build(replace(told, lines=lines[::-1] if value > 1 else lines))
    greedy = solve(book)
    better, _ = improve(
        book,
        greedy,
        guards(book, greedy, 2),
        money(book),
        fill=lambda n: n < 2048,
        shorten=lambda n: n < 128,
    )
    day = dict(zip(names.lines, plan_of(book, better).line_leaves.tolist(), strict=True))
    assert (day["big"] > 7) == (late == "big")
    assert lost(book, better, money(book)) <= lost(book, greedy, money(book))


@pytest.mark.parametrize("room", range(11))
def test_a_unit_that_finds_the_store_full_leaves_no_trace(room):
    book, _, _ = build(bottleneck())
    ledger = opened(book)
    entries = ("entry_ref", "entry_day", "entry_need", "entry_qty")
    ledger = ledger._replace(**{name: getattr(ledger, name)[:room] for name in entries})
    free = ledger.bucket_free.copy()
    for unit in book.sequence:
        planned = place_early(book, ledger, unit, book.unit_due[unit], book.unit_limit[unit])
        assert planned == (ledger.unit_day[unit] >= 0) == (ledger.unit_count[unit] > 0)
        if not planned:
            break
        free = ledger.bucket_free.copy()
    assert ledger.at[FULL]
    assert (ledger.bucket_free == free).all()


@pytest.mark.parametrize("room", range(19))
def test_a_plan_made_while_the_store_was_full_is_the_same(room):
    """Two of the lines leave in two shipments, one of them with a cap of its class."""
    told = bottleneck()
    late = [
        Line("late", "pump", 25, 6, shipments=2, least=3),
        Line("capped", "pump", 9, 20, shipments=2, customer_class="B"),
    ]
    told = replace(told, classes=["B"], caps=[Cap("pump", "B", 4, 0, 28)])
    book, _, _ = build(replace(told, lines=[*late, *told.lines]))
    whole, ledger = solve(book), opened(book)
    assert (whole.unit_ahead > 0).sum() == 2
    entries = ("entry_ref", "entry_day", "entry_need", "entry_qty")
    ledger = ledger._replace(**{name: getattr(ledger, name)[:room] for name in entries})
    units, again = steps_of(book)
    step = run_steps(book, ledger, units, again, 0)
    assert step < len(units)
    while step < len(units):
        ledger = with_room(ledger)
        step = run_steps(book, ledger, units, again, step)
    ours, theirs = plan_of(book, ledger), plan_of(book, whole)
    assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))


def test_a_late_unit_planned_in_turn_waits_for_nobody_after_it():
    """Ten hours a week: two lines want six in the first, then one wants ten every week."""
    told = bottleneck()
    two = [Line(name, "pump", 6, 7) for name in ("first", "late")]
    full = [Line(f"week {n}", "pump", 10, 7 * n) for n in range(2, 6)]
    book, names, _ = build(replace(told, lines=[*two, *full]))
    late = names.lines.index("late")

    def days_late(plan):
        return np.maximum(0, plan.unit_day - book.unit_due).tolist()

    at_the_end, in_turn = days_late(solve(book)), days_late(solve(book, {0}))
    assert sum(day > 0 for day in at_the_end) == 1
    assert at_the_end[late] > 28
    assert 0 < in_turn[late] <= 7
    assert sum(day > 0 for day in in_turn) > 1


def spoiled(name: str, change):
    """A verified plan with one array changed."""
    facts = bottleneck()
    story = tell(facts)
    array = getattr(story.plan, name).copy()
    change(array)
    return check(story.book, story.plan._replace(**{name: array}))


@pytest.mark.parametrize(
    ("name", "change", "finding"),
    [
        ("order_qty", lambda a: a.__setitem__(0, a[0] - 1), "below zero"),
        ("order_qty", lambda a: a.__setitem__(0, a[0] + 50), "overloaded"),
        ("order_start", lambda a: a.__setitem__(0, a[0] + 1), "too short"),
        ("order_end", lambda a: a.__setitem__(0, a[0] + 30), "after they are needed"),
        ("order_net", lambda a: a.__setitem__(0, a[0] + 1), "covered exactly"),
        ("order_for", lambda a: a.__setitem__(0, a[1]), "covered exactly"),
        ("line_leaves", lambda a: a.__setitem__(0, 1), "below zero"),
    ],
)
def test_the_verifier_finds_what_was_spoiled(name, change, finding):
    assert finding in " ".join(spoiled(name, change))


@pytest.mark.slow
def test_compiled_and_plain_kernels_make_the_same_plan():
    pytest.importorskip("numba")
    keeps = os.environ.get("CRM_DATA_DIR", "var")  # where set-up has compiled them
    script = (
        "import hashlib\nimport numpy as np\n"
        "from tests.fulfillment.engine.test_plans import *\n"
        "book, _, _ = build(bottleneck())\n"
        "plan = solve(book)\n"
        "guard = guards(book, plan, 2)\n"
        "budget = {'fill': lambda n: n < 512, 'shorten': lambda n: n < 256}\n"
        "one, _ = improve(book, plan, guard, lines_first(book), **budget)\n"
        "print(hashlib.sha256(np.concatenate(plan_of(book, one)).tobytes()).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"ENGINE": engine, "CRM_DATA_DIR": keeps, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for engine in ("python", "compiled")
    }
    assert len(digests) == 1
