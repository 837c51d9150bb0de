"""``crm erp record``: keep whole exchanges for a dry run, for some days."""

from __future__ import annotations

import re

import click

from b2bcrm.cli.erp.group import erp
from b2bcrm.cli.root import settings_here


@erp.command("record")
@click.argument("switch", type=click.Choice(["on", "off", "show"]))
@click.option("--connection", default="", help="Its code; without it the configured one.")
@click.option("--days", type=click.IntRange(1, 30), default=3, show_default=True)
@click.option("--mb", type=click.IntRange(1, 5000), default=200, show_default=True)
def record(*, switch: str, connection: str, days: int, mb: int) -> None:
    """Switch recording on or off, or show what there is.

    Whole exchanges are kept in CRM_DATA_DIR/recordings, passwords and prices masked, until the
    days or megabytes are used up; two weeks later they are thrown away.
    """
    from b2bcrm.bootstrap import erp_connection
    from b2bcrm.kernel.clock import machine_now
    from b2bcrm.sync.recordings import Recording

    settings = settings_here()
    code = connection or erp_connection(settings).code
    if re.fullmatch(r"[\w.-]{1,20}", code) is None or code.startswith("."):
        raise click.UsageError(f"--connection {code}: that is no connection's code.")
    recording = Recording(settings.recordings_dir, code, machine_now)
    if switch == "on":
        until = recording.start(days=days, megabytes=mb)
        click.echo(f"{code} is recorded until {until:%Y-%m-%d %H:%M} UTC, {mb} MB at most.")
    elif switch == "off":
        recording.stop()
        click.echo(f"{code} is not recorded.")
    else:
        ends = recording.until()
        exchanges, size = recording.size()
        state = f"until {ends:%Y-%m-%d %H:%M} UTC" if ends else "off"
        click.echo(f"{code}: {state}; {exchanges} exchanges, {size / 1024 / 1024:.1f} MB")
        click.echo(f"They are in {recording.home}.")
