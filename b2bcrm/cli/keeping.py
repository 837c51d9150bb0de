"""Commands that look after an installation: schema, logins, outbox, backup, measurements."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from b2bcrm.cli.root import main, settings_here


@main.group()
def db() -> None:
    """The database's schema."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema up to date."""
    from b2bcrm import migrations
    from b2bcrm.kernel.database import make_engine

    changed = migrations.upgrade(make_engine(settings_here().database_url))
    click.echo("Upgraded." if changed else "Up to date.")


@db.command("downgrade")
@click.argument("revision")
def db_downgrade(revision: str) -> None:
    """Take the schema back to REVISION (`base` empties the database)."""
    from b2bcrm import migrations
    from b2bcrm.kernel.database import make_engine

    migrations.downgrade(make_engine(settings_here().database_url), revision)
    click.echo(f"The schema stands at {revision}.")


@db.command("revise")
@click.argument("message")
def db_revise(message: str) -> None:
    """For developers: write the migration from the schema of DATABASE_URL to the models."""
    from b2bcrm import migrations
    from b2bcrm.kernel.database import make_engine

    click.echo(migrations.revise(make_engine(settings_here().database_url), message))


@main.group()
def users() -> None:
    """Logins."""


@users.command("create-admin")
@click.option("--email", prompt=True)
@click.option("--name", prompt=True)
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
def users_create_admin(email: str, name: str, password: str) -> None:
    """The first login of a real installation."""
    from b2bcrm.bootstrap import build
    from b2bcrm.kernel.actor import Role
    from b2bcrm.kernel.errors import CrmError
    from b2bcrm.users.actions import create_user
    from b2bcrm.users.passwords import Passwords

    house = build(settings_here())
    try:
        with house.office.open() as work:
            create_user(
                work,
                email=email,
                name=name,
                role=Role.ADMIN,
                password=password,
                passwords=Passwords(cheap=house.settings.cheap_passwords),
            )
    except CrmError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{email} can sign in.")


@main.group()
def company() -> None:
    """Our own companies and sites."""


@company.command("add")
@click.option("--code", required=True)
@click.option("--name", required=True)
@click.option("--currency", required=True)
@click.option("--country", required=True)
@click.option("--zone", required=True, help="IANA time zone, such as Asia/Taipei")
@click.option("--site", required=True, help="Code of its plant, as the ERP writes it")
def company_add(*, code: str, name: str, currency: str, country: str, zone: str, site: str) -> None:
    """A company with one site; its calendar holds the country's public holidays."""
    from b2bcrm.bootstrap import build
    from b2bcrm.kernel.founding import add_company

    with build(settings_here()).office.open() as work:
        add_company(
            work, code=code, name=name, currency=currency, country=country, zone=zone, site=site
        )
    click.echo(f"{name} with site {site}.")


@main.group()
def outbox() -> None:
    """Deliveries that wait or are parked."""


@outbox.command("list")
def outbox_list() -> None:
    """What is not delivered yet."""
    import sqlalchemy as sa

    from b2bcrm.bootstrap import build
    from b2bcrm.kernel.outbox import Delivery, DeliveryState

    with build(settings_here()).office.open(read_only=True) as work:
        query = sa.select(Delivery).where(Delivery.state != DeliveryState.DONE)
        for row in work.session.scalars(query.order_by(Delivery.id)):
            reason = row.reason or ""
            click.echo(f"{row.id:>8} {row.state:<8} {row.handler:<24} {row.stream:<14} {reason}")


@outbox.command("retry")
@click.argument("row_id", type=int)
def outbox_retry(row_id: int) -> None:
    """Put a parked row back in line."""
    from b2bcrm.bootstrap import build
    from b2bcrm.kernel.outbox import retry

    with build(settings_here()).office.open() as work:
        if not retry(work.session, row_id, work.tick):
            raise click.ClickException(f"There is no open delivery {row_id}.")
    click.echo("In line again.")


@main.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure pages, documents and the ERP connection; prints tables (--help for options)."""
    os.execv(sys.executable, [sys.executable, "-m", "bench", *arguments])


@main.command()
@click.argument("target", type=click.Path(path_type=Path), required=False)
def backup(target: Path | None) -> None:
    """A consistent copy of the database and its files, into TARGET or CRM_DATA_DIR/backups/DATE."""
    from b2bcrm.kernel.clock import machine_now

    settings = settings_here()
    stamp = f"{machine_now():%Y-%m-%dT%H%M%S}"
    target = target or settings.data_dir / "backups" / stamp
    if target.exists():
        raise click.ClickException(f"{target} exists.")
    target.mkdir(parents=True)
    if settings.database_url.startswith("sqlite:///"):
        import sqlite3

        source = sqlite3.connect(settings.database_url.removeprefix("sqlite:///"))
        copy = sqlite3.connect(target / "crm.sqlite3")
        source.backup(copy)
        source.close()
        copy.close()
    else:
        url = settings.database_url.replace("postgresql+psycopg:", "postgresql:")
        command = ["pg_dump", "--format=custom", f"--file={target / 'database.dump'}", url]
        try:
            subprocess.run(command, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise click.ClickException(f"pg_dump did not work: {error}") from error
    if settings.files_dir.exists():
        shutil.copytree(settings.files_dir, target / "files")
    click.echo(f"Database and files are in {target}.")
