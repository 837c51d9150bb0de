"""Commands that plan: ``crm plan case`` plans a case from a folder of CSV files."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from b2bcrm.cli.root import main

if TYPE_CHECKING:  # the engine's libraries take a second to load; most commands do without
    from b2bcrm.fulfillment.planning.engine.book import Book
    from b2bcrm.fulfillment.planning.engine.ledger import Ledger

KEPT_PRIORITY = 2  # classes 1 and 2 never leave later than in the greedy plan
FILLING = 0.4  # share of the time for lines on time; the rest is for days late


@dataclass(frozen=True)
class Solved:
    """A planned book, and the seconds from arrays to plan."""

    ledger: Ledger
    seconds: float
    rounds: int


@main.group()
def plan() -> None:
    """Plan the order book with finite capacity."""


@plan.command("case")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--seconds", type=click.FloatRange(0), default=0.0, help="to improve the greedy plan")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def case(folder: Path, seconds: float, out: Path) -> None:
    """Plan the case in FOLDER (CSV files), write the plan, verify it and print its figures."""
    from b2bcrm.fulfillment.planning.engine.building import build
    from b2bcrm.fulfillment.planning.engine.cases import read_case, write_plan
    from b2bcrm.fulfillment.planning.engine.checking import check
    from b2bcrm.fulfillment.planning.engine.plan import plan_of, score
    from b2bcrm.fulfillment.planning.engine.warming import warm_planning

    try:
        facts, day0 = read_case(folder)
    except (OSError, KeyError, ValueError) as error:
        raise click.ClickException(f"{folder} is no planning case: {error!r}") from error
    book, names, problems = build(facts)
    lines = len(facts.lines)
    del facts  # the plan needs arrays only
    for problem in problems:
        click.echo(f"{problem.kind}: {problem.name}: {problem.text}")
    warm_planning(improving=seconds > 0)
    solved = plan_in(book, seconds)
    made = plan_of(book, solved.ledger)
    peak = peak_mib()
    faults = check(book, made)
    for fault in faults:
        click.echo(f"violation: {fault}")
    write_plan(out, book, names, made, day0)
    reached = score(book, made)
    missing = lines - len(book.line_qty)
    click.echo(
        f"solve_seconds={solved.seconds:.3f} peak_mib={peak:.0f} on_time={reached.on_time} "
        f"late={reached.late + missing} late_days={reached.late_days} violations={len(faults)}"
    )
    if faults:
        raise SystemExit(1)


def plan_in(book: Book, seconds: float) -> Solved:
    """The greedy plan, improved for so many seconds."""
    from b2bcrm.fulfillment.planning.engine.improving import guards, improve, lines_first
    from b2bcrm.fulfillment.planning.engine.solving import solve

    start = time.perf_counter()
    ledger, rounds = solve(book), 0
    if seconds > 0:
        ledger, rounds = improve(
            book,
            ledger,
            guards(book, ledger, KEPT_PRIORITY),
            lines_first(book),
            fill=_until(start + FILLING * seconds),
            shorten=_until(start + seconds),
        )
    return Solved(ledger, time.perf_counter() - start, rounds)


def _until(end: float) -> Callable[[int], bool]:
    """A budget of rounds that ends with the machine's clock."""
    return lambda _done: time.perf_counter() < end


def peak_mib() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
