"""``crm erp dry-run``: what a changed profile would read otherwise, before it is used."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from b2bcrm.cli.erp.group import erp, in_one_sentence
from b2bcrm.cli.root import settings_here
from b2bcrm.ports.erp import Connection

if TYPE_CHECKING:
    from connectors.erp.replay import Change, Reading, Recorded


@erp.command("dry-run")
@click.option("--profile", required=True, help="The changed profile: a name or a file.")
@click.option("--present", default="", help="What it is compared with; else the configured one.")
@click.option(
    "--recorded",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of recorded replies; without it what `crm erp record` has kept.",
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only what was recorded since.")
@click.option("--show", type=click.IntRange(min=1), default=50, show_default=True)
def dry_run(
    *, profile: str, present: str, recorded: Path | None, since: dt.datetime | None, show: int
) -> None:
    """Show what a changed profile would change, record by record and field by field.

    Recorded replies are read by the present and by the changed profile. Nothing is sent to the
    ERP and nothing is written here. Masked values (prices, passwords) count as 0 on both sides.
    """
    from b2bcrm.bootstrap import erp_connection
    from connectors.erp import replay

    settings = settings_here()
    connection = erp_connection(settings)
    folder = recorded or settings.recordings_dir / connection.code
    replies = replay.recordings(folder, since and since.replace(tzinfo=dt.UTC))
    if not replies:
        raise click.ClickException(
            f"There are no recorded replies in {folder}: ./crm erp record on, or name them "
            "<call>.<anything>.reply.xml, such as list-customer.1.reply.xml."
        )
    with in_one_sentence():
        before = replay.read(_of(connection, present or connection.profile), replies)
        after = replay.read(_of(connection, profile), replies)
    _tell(replies, before, after, list(replay.compare(before, after)), show)


def _of(connection: Connection, profile: str) -> Connection:
    """The connection with another profile, and an address even where none is configured."""
    address = connection.base_url or "http://recorded.invalid"
    return dataclasses.replace(connection, profile=profile, base_url=address)


def _tell(
    replies: list[Recorded], before: Reading, after: Reading, changes: list[Change], show: int
) -> None:
    days = f"{replies[0].at:%Y-%m-%d} to {replies[-1].at:%Y-%m-%d}"
    click.echo(f"{len(replies)} replies, recorded {days}\n")
    touched = Counter(entity for entity, _ in {(c.entity, c.erp_id) for c in changes})
    for entity in sorted(before.records.keys() | after.records.keys()):
        was, will = len(before.records.get(entity, {})), len(after.records.get(entity, {}))
        click.echo(f"{entity:<16} {was:>7} read, {will:>7} then, {touched[entity]:>6} would change")
    for change in changes[:show]:
        where = f"{change.entity} {change.erp_id} {change.path}".rstrip()
        click.echo(f"  {where}: {_shown(change.before)} -> {_shown(change.after)}")
    if len(changes) > show:
        click.echo(f"  ... and {len(changes) - show} more; --show {len(changes)} shows all")
    for word, held in (("held back now", before.held), ("held back then", after.held)):
        for what, reason in list(held.items())[:show]:
            click.echo(f"  {word}: {what}: {reason}")
    click.echo(f"\n{len(changes)} values of {sum(touched.values())} records would change.")


def _shown(value: object) -> str:
    return str(value) if isinstance(value, str) and value in {"read", "not read"} else repr(value)
