"""Commands about what comes from the ERP: feeds and connections."""

from __future__ import annotations

import click

from b2bcrm.cli.root import main, settings_here


@main.group()
def feeds() -> None:
    """What is read from the ERP, how old it is, and reading it again."""


@feeds.command("list")
def feeds_list() -> None:
    """Each feed with its age and state."""
    from b2bcrm.bootstrap import open_office
    from b2bcrm.sync import findings, queries

    with open_office(settings_here()).open(read_only=True) as work:
        rows = queries.feeds(work)
        loads = {one.feed_id: one for one in findings.loads(work, [row.feed for row in rows])}
        for row in rows:
            _colour, words = row.status
            load = loads.get(row.feed.id)
            so_far = f" first load: {load.rows} rows, {load.per_second:.0f}/s" if load else ""
            name = f"{row.feed.connection_code}/{row.feed.entity}"
            click.echo(f"{name:<32} {row.data_age or '-'!s:<18} {words}{so_far}")


@feeds.command("count")
def feeds_count() -> None:
    """A dry run of the first load: how many records each feed has. Nothing is applied.

    The counts are kept, so that a first load can tell how long it will take.
    """
    from b2bcrm.bootstrap import build

    house = build(settings_here())
    for puller in house.pullers():
        puller.ensure_feeds()
        for entity, count in puller.count_all():
            click.echo(f"{puller.connection:<12} {entity.value:<16} {count:>9}")


@feeds.command("reconcile")
@click.argument("entity")
@click.option("--connection", default="main")
@click.option("--full", is_flag=True, help="Compare whole records, not only keys and versions.")
def feeds_reconcile(entity: str, connection: str, *, full: bool) -> None:
    """Compare a feed with the ERP now."""
    from b2bcrm.bootstrap import build
    from b2bcrm.ports.erp import Entity

    house = build(settings_here())
    puller = next((p for p in house.pullers() if p.connection == connection), None)
    if puller is None or entity not in set(Entity):
        raise click.ClickException("There is no such feed.")
    outcome = puller.reconcile(Entity(entity), by_content=full)
    click.echo(outcome or "not loaded yet, paused, or in another worker's hands")


@main.group()
def connections() -> None:
    """The ERPs we talk to, and what they may do."""


@connections.command("list")
def connections_list() -> None:
    """Each connection with its switches."""
    from b2bcrm.bootstrap import open_office
    from b2bcrm.sync import queries

    with open_office(settings_here()).open(read_only=True) as work:
        for row in queries.connections(work.session):
            told = "on" if row.notices else "off"
            click.echo(f"{row.code:<12} {row.product:<28} writes {row.writes:<8} notices {told}")


@connections.command("switch")
@click.argument("code")
@click.option("--writes", type=click.Choice(["off", "dry-run", "on"]))
@click.option("--notices", type=click.Choice(["off", "on"]))
@click.option("--since", type=click.DateTime(), help="The go-live (UTC); without it, now.")
def connections_switch(code: str, writes: str | None, notices: str | None, since: object) -> None:
    """Let a connection send orders, or tell customers of changes since the go-live.

    Before notices go on, what would be told is listed and asked about.
    """
    import datetime as dt

    from b2bcrm.bootstrap import open_office
    from b2bcrm.kernel.errors import CrmError
    from b2bcrm.sync import connections as acts
    from b2bcrm.sync.models import Writes

    office = open_office(settings_here())
    go_live = since.replace(tzinfo=dt.UTC) if isinstance(since, dt.datetime) else None
    try:
        seen = 0
        if notices == "on":
            with office.open(read_only=True) as work:
                go_live = go_live or work.now
                waiting = acts.untold(work, code, go_live)
            for one in waiting:
                click.echo(f"  {one.created_at:%Y-%m-%d %H:%M}  {one.order_no}  {one.handler}")
            seen = len(waiting)
            click.confirm(f"Tell customers of these {seen} and of all that follow?", abort=True)
        with office.open() as work:
            if writes:
                acts.switch_writes(work, code, Writes(writes))
            if notices:
                acts.switch_notices(work, code, on=notices == "on", go_live_at=go_live, seen=seen)
    except CrmError as error:
        raise click.ClickException(str(error)) from error
    click.echo("Switched.")
