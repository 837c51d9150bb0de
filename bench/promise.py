"""Plans cases of several sizes and asks on top of them: seconds, memory, quality, verdict.

Each case runs in a process of its own, so that the peak of memory is its own. Targets stand beside
what was reached.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from b2bcrm.cli.planning import plan_in
from b2bcrm.fulfillment.planning.engine.asking import Asking
from b2bcrm.fulfillment.planning.engine.book import Book
from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.cases import read_case
from b2bcrm.fulfillment.planning.engine.chances import ROUNDS, Noise, chances, preferred_calendars
from b2bcrm.fulfillment.planning.engine.checking import check
from b2bcrm.fulfillment.planning.engine.explaining import witness_of
from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.engine.plan import Plan, plan_of, score
from b2bcrm.fulfillment.planning.engine.records import Facts, Line
from b2bcrm.fulfillment.planning.engine.resolving import resolve
from b2bcrm.fulfillment.planning.engine.solving import solve
from b2bcrm.fulfillment.planning.engine.warming import warm
from bench import cases
from bench.memory import peak_mb

SIZES = (1_000, 10_000, 50_000)
QUESTIONS, BATCH = 1_000, 300
# lines: greedy seconds, greedy lines on time, seconds of improvement, lines on time after them
TARGETS = {
    1_000: (0.05, 719, 10, 930),
    10_000: (0.3, 9_551, 10, 9_900),
    50_000: (1, 47_668, 30, 49_000),
}
COLUMNS = "lines plan seconds MiB on_time late weighted_days days faults target"


def measure(folder: Path, given: Sequence[Path], sizes: Sequence[int], load: int) -> None:
    """Print the tables of given case folders, or of generated ones."""
    folders = list(given) or [
        cases.write(folder / f"{size}-{load}", size, seed=1, load=load) for size in sizes
    ]
    print("".join(f"{name:>14}" for name in COLUMNS.split()))
    asked, changed = [], []
    for one in folders:
        done = subprocess.run(
            [sys.executable, "-m", "bench.promise", str(one)], stdout=subprocess.PIPE, check=True
        )
        *rows, answers, again = [json.loads(line) for line in done.stdout.splitlines()]
        for row in rows:
            print("".join(f"{value:>14}" for value in row), flush=True)
        asked.append(answers)
        changed.append(again)
    print(f"\n{'ask on lines':>14}{'p50 ms':>14}{'p99 ms':>14}{f'{BATCH} in ms':>14}")
    for answers in asked:
        print("".join(f"{value:>14}" for value in answers))
    print("\ntargets of ask on 50,000 lines: p50 0.3 ms, p99 5 ms, 300 lines 150 ms")
    heads = ["lines", "1 % touched s", "anew s", "equal", "explained s", "rounds", "rounds s"]
    print("\n" + "".join(f"{name:>14}" for name in heads))
    for figures in changed:
        print("".join(f"{value:>14}" for value in figures))
    print("\ntargets: 1 % of supply touched, planned again 0.3 s; 50,000 lines explained 5 s;")
    print(f"{ROUNDS} rounds of chances on 10,000 lines 30 s")


def run(folder: Path) -> None:
    """One case: greedy, improved, asked; rows as JSON."""
    facts, _ = read_case(folder)
    book, names, _ = build(facts)
    warm()
    lines = len(facts.lines)
    fast, fewest, longer, most = TARGETS.get(lines, (0, 0, 10, 0))
    for title, seconds, target in (
        ("greedy", 0.0, f"{fast} s, {fewest}"),
        (f"{longer} s more", float(longer), most),
    ):
        solved = plan_in(book, seconds)
        plan, peak = plan_of(book, solved.ledger), peak_mb()
        reached = score(book, plan)
        weighted = _weighted_days(book, plan)
        row = [lines, title, round(solved.seconds, 3), round(peak), reached.on_time, reached.late]
        row += [weighted, reached.late_days, len(check(book, plan)), target]
        print(json.dumps(row))
    planned = Planned(book, names, solve(book))
    print(json.dumps([lines, *_latencies(Asking(*planned), facts)]))
    print(json.dumps([lines, *_again(planned, facts), ROUNDS, _rounds_s(book)]))


def _weighted_days(book: Book, plan: Plan) -> int:
    """Days late, the first class counting three times, the second twice."""
    late = np.where(plan.line_arrives >= 0, np.maximum(0, plan.line_arrives - book.line_wish), 0)
    weight = np.maximum(1, 4 - np.repeat(book.unit_priority, np.diff(book.unit_line)))
    return int((late * weight).sum())


def _latencies(asking: Asking, facts: Facts) -> list[float]:
    """Median and 99th percentile of one question, and one call of a batch; milliseconds."""
    rng = random.Random(1)  # noqa: S311 - repeatable, nothing secret
    wanted = sorted({line.part for line in facts.lines})
    lines = [
        Line(f"Q{n}", rng.choice(wanted), rng.randint(1, 40), rng.randint(1, 182))
        for n in range(QUESTIONS)
    ]
    asking.ask(lines[:1])
    took = []
    for line in lines:
        start = time.perf_counter()
        asking.ask([line])
        took.append(1000 * (time.perf_counter() - start))
    start = time.perf_counter()
    asking.ask(lines[:BATCH], ["one quote"] * BATCH)
    batch = 1000 * (time.perf_counter() - start)
    return [round(float(np.percentile(took, p)), 3) for p in (50, 99)] + [round(batch, 1)]


def _again(planned: Planned, facts: Facts) -> list[float | str]:
    """Seconds to plan again after a feed, in part and anew, if both are equal, and to explain."""
    rng = random.Random(1)  # noqa: S311 - repeatable, nothing secret
    supplies = list(facts.supplies)
    for n in rng.sample(range(len(supplies)), max(1, len(supplies) // 100)):
        one = supplies[n]
        day, qty = (one.day + 7, one.qty) if one.day else (0, one.qty * 9 // 10)
        supplies[n] = replace(one, day=day, qty=qty)
    book, names, _ = build(replace(facts, supplies=supplies))
    resolve(planned, planned.book, planned.names)  # the product does not warm it yet
    start = time.perf_counter()
    ours = resolve(planned, book, names)
    part = time.perf_counter() - start
    start = time.perf_counter()
    anew = solve(book)
    whole = time.perf_counter() - start
    start = time.perf_counter()
    plan = plan_of(book, ours)
    witness_of(book, plan)
    explained = time.perf_counter() - start
    same = all(np.array_equal(a, b) for a, b in zip(plan, plan_of(book, anew), strict=True))
    return [round(part, 3), round(whole, 3), "yes" if same else "NO", round(explained, 3)]


def _rounds_s(book: Book) -> float:
    """Seconds for the chances of all lines, when every supply, hour and way out may err."""
    days, hours = np.array([-1, 0, 0, 0, 1, 2, 5, 10]), np.array([900, 950, 1000, 1000])
    noise = Noise(
        errors=[days, hours],
        supply=np.where(book.supply_day > 0, 0, -1),
        supply_calendar=preferred_calendars(book)[book.supply_part],
        centre=np.ones(len(book.bucket_at), np.int32),
        line=np.zeros(len(book.line_wish), np.int32),
    )
    start = time.perf_counter()
    chances(book, noise, seed=1)
    return round(time.perf_counter() - start, 1)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
