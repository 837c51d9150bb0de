"""``./crm erp storm``: thousands of faults over the whole integration, and what is left of it."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from b2bcrm.cli.erp.group import erp

if TYPE_CHECKING:
    from b2bcrm.demo.storm.run import Report


@erp.command("storm")
@click.option("--faults", type=click.IntRange(100), default=10_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--workers", type=click.IntRange(1, 16), default=3, show_default=True)
@click.option(
    "--database",
    metavar="URL",
    help="An empty database to use; otherwise a SQLite file that is gone afterwards.",
)
@click.option(
    "--minutes", type=click.IntRange(1), default=60, show_default=True, help="Give up after this."
)
def storm(faults: int, seed: int, workers: int, database: str | None, minutes: int) -> None:
    """Prove that the ERP integration loses, doubles and changes nothing, whatever happens.

    Its own twin and its own workers, never the installation's. Ends with 1 if anything is wrong.
    """
    from b2bcrm import migrations
    from b2bcrm.demo.storm.run import Storm
    from b2bcrm.demo.storm.weather import forecast
    from b2bcrm.kernel.database import make_engine

    with ExitStack() as stack:
        if database is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="crm-storm-"))
            database = f"sqlite:///{folder}/crm.sqlite3"
        engine = make_engine(database)
        if not migrations.upgrade(engine):
            raise click.ClickException("This database is not empty: a storm needs one of its own.")
        engine.dispose()
        raised = Storm(database, forecast(faults), seed, workers, minutes * 60.0, tell=click.echo)
        report = raised.run()
    tell(report)
    sys.exit(0 if report.clean else 1)


def tell(report: Report) -> None:
    """Say what came down and what it did."""
    click.echo(f"\n{'fault':<24}{'on writes':>10}{'on reads':>10}")
    for kind, (writes, reads) in report.struck.items():
        click.echo(f"{kind:<24}{writes:>10}{reads:>10}")
    for where, count in sorted(report.kills.at.items()):
        click.echo(f"{'killed: ' + where:<44}{count}")
    verdict, desk = report.verdict, report.desk
    if report.missing:
        click.echo(f"NOT COME: {report.missing} faults of the forecast")
    if not report.calm:
        click.echo("NOT CALM: something still waited when patience ended")
    click.echo(f"\nfaults           {report.forecast.faults - report.missing}")
    click.echo(f"acts             {dict(sorted(desk.acts.items()))}")
    click.echo(f"orders sent      {verdict.sent}")
    click.echo(f"stored as agreed {verdict.stored}")
    click.echo(f"never entered    {verdict.withdrawn} (cancelled before the ERP had them)")
    for title, found in (
        ("doubled", verdict.doubled),
        ("lost", verdict.lost),
        ("altered", verdict.altered),
        ("not linked", verdict.unlinked),
    ):
        click.echo(f"{title:<17}{len(found)} {' '.join(found[:5])}")
    click.echo(f"rows compared    {verdict.rows}")
    click.echo(f"feeds that differ {verdict.differing or 'none'}")
    click.echo(f"stuck and shown  {desk.shown} (sent again by a person)")
    click.echo(f"stuck and hidden {desk.hidden}")
    click.echo(f"still stuck      {verdict.stuck}")
    for defect, count in sorted(report.defects.items()):
        click.echo(f"unexpected {count} x {defect}")
    click.echo(f"{'CLEAN' if report.clean else 'NOT CLEAN'} after {report.seconds:.0f} s")
