"""The product's commands behind ``./crm``. Each is a thin edge: settings, one Work, one action."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import click

from b2bcrm.settings import Settings, SettingsError

START_WITHIN_S = 60.0


def _settings() -> Settings:
    try:
        return Settings.of_this_process()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


@click.group()
def main() -> None:
    """An order-centric B2B CRM for manufacturers."""


@main.command()
@click.option("--size", type=click.Choice(["small", "demo", "large"]), default="demo")
@click.option("--seed", type=int, default=1)
def up(size: str, seed: int) -> None:
    """Serve: web, worker and, without DATABASE_URL, the demo company with its ERP twin."""
    settings = _settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _prepare(settings, size, seed)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    children = [_start("web", settings)]  # first: somebody waits for a page
    try:
        if _wait_for(f"http://127.0.0.1:{settings.web_port}/health"):
            _greet(settings)
        children += [_start(name, settings) for name in ("twin", "worker")[not settings.demo :]]
        while all(child.poll() is None for child in children):
            time.sleep(0.5)
        click.echo("A part has ended; stopping the others. See var/log/.", err=True)
    except KeyboardInterrupt:
        click.echo("Stopping.")
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(timeout=20)


def _start(command: str, settings: Settings) -> subprocess.Popen[bytes]:
    folder = settings.data_dir / "log"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{command}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "b2bcrm.cli", command], stdout=log, stderr=log
        )


def _wait_for(url: str) -> bool:
    end = time.monotonic() + START_WITHIN_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    click.echo("The web server did not answer; see var/log/web.log.", err=True)
    return False


def _prepare(settings: Settings, size: str, seed: int) -> None:
    """Schema up to date, and the demo company where there is none yet."""
    from b2bcrm import migrations
    from b2bcrm.kernel.database import make_engine

    start = time.monotonic()
    engine = make_engine(settings.database_url)
    if migrations.upgrade(engine):
        click.echo(f"  database schema: {time.monotonic() - start:.1f} s")
    if settings.demo:
        from b2bcrm.demo.build import build_if_empty

        start = time.monotonic()
        if build_if_empty(settings, size=size, seed=seed):
            click.echo(f"  demo company ({size}): {time.monotonic() - start:.1f} s")
    engine.dispose()


def _greet(settings: Settings) -> None:
    click.echo(f"\n  The CRM is at        {settings.base_url}/")
    if settings.demo:
        from b2bcrm.demo.logins import shown_logins
        from b2bcrm.desk.demo import DEMO_PASSWORD

        click.echo(f"  The portal is at     {settings.base_url}/portal/orders")
        click.echo(f"  Mail is caught at    {settings.base_url}/demo/mail\n")
        click.echo(f"  Logins (password {DEMO_PASSWORD!r} for all):")
        for email, who in shown_logins():
            click.echo(f"    {email:<36} {who}")
    click.echo("\n  Stop with Ctrl-C.")


@main.command()
def web() -> None:
    """The web server (granian), CRM_WEB_WORKERS processes."""
    settings = _settings()
    os.execv(
        sys.executable,
        [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--factory",
            "--host", os.environ.get("CRM_HOST", "127.0.0.1"),
            "--port", str(settings.web_port), "--workers", str(settings.web_workers),
            "--blocking-threads", "4", "--no-ws", "b2bcrm.app:from_environment",
        ],
    )  # fmt: skip


@main.command()
@click.option("--once", is_flag=True, help="Do everything that is due now, and end.")
def worker(*, once: bool) -> None:
    """Deliver the outbox, pull the ERP, run the day's jobs."""
    from b2bcrm import worker as process
    from b2bcrm.bootstrap import build
    from b2bcrm.kernel import logs

    logs.configure()
    house = build(_settings())
    if once:
        process.run_once(house)
    else:
        process.run(house)


@main.command()
def twin() -> None:
    """The demo's ERP: a SOAP server in a process of its own."""
    from b2bcrm.demo.erp import serve_twin

    serve_twin(_settings())


@main.command()
@click.option("--size", type=click.Choice(["small", "demo", "large"]), default="demo")
@click.option("--seed", type=int, default=1)
def reset(size: str, seed: int) -> None:
    """A fresh demo. Refuses any database that is not one."""
    from b2bcrm.demo.build import remove

    settings = _settings()
    if not settings.demo:
        raise click.ClickException("DATABASE_URL is set: reset only touches the embedded demo.")
    try:
        remove(settings)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    _prepare(settings, size, seed)
    click.echo("A fresh demo is ready: ./crm up")


@main.group()
def db() -> None:
    """The database's schema."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema up to date."""
    from b2bcrm import migrations
    from b2bcrm.kernel.database import make_engine

    changed = migrations.upgrade(make_engine(_settings().database_url))
    click.echo("Upgraded." if changed else "Up to date.")


@db.command("downgrade")
@click.argument("revision")
def db_downgrade(revision: str) -> None:
    """Take the schema back to REVISION (`base` empties the database)."""
    from b2bcrm import migrations
    from b2bcrm.kernel.database import make_engine

    migrations.downgrade(make_engine(_settings().database_url), revision)
    click.echo(f"The schema stands at {revision}.")


@db.command("revise")
@click.argument("message")
def db_revise(message: str) -> None:
    """For developers: write the migration from the schema of DATABASE_URL to the models."""
    from b2bcrm import migrations
    from b2bcrm.kernel.database import make_engine

    click.echo(migrations.revise(make_engine(_settings().database_url), message))


@main.group()
def demo() -> None:
    """The demo company."""


@demo.command("build")
@click.option("--size", type=click.Choice(["small", "demo", "large"]), default="demo")
@click.option("--seed", type=int, default=1)
def demo_build(size: str, seed: int) -> None:
    """Set up the demo company without serving it."""
    settings = _settings()
    if not settings.demo:
        raise click.ClickException("DATABASE_URL is set: the demo is embedded only.")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _prepare(settings, size, seed)


@demo.command("advance")
@click.option("--days", type=click.IntRange(1, 60), required=True)
def demo_advance(days: int) -> None:
    """Move the demo's business clock; the ERP twin follows and the worker pulls."""
    from b2bcrm.demo.erp import advance

    settings = _settings()
    if not settings.demo:
        raise click.ClickException("Only the embedded demo has a clock to move.")
    click.echo(f"The demo's clock stands at {advance(settings, days):%Y-%m-%d %H:%M} UTC.")


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

    house = build(_settings())
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

    with build(_settings()).office.open() as work:
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

    with build(_settings()).office.open(read_only=True) as work:
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

    with build(_settings()).office.open() as work:
        if not retry(work.session, row_id, work.tick):
            raise click.ClickException(f"There is no open delivery {row_id}.")
    click.echo("In line again.")


@main.group()
def erp() -> None:
    """The ERP connection."""


@erp.command("check")
def erp_check() -> None:
    """Whether the ERP answers, lets us in, and agrees on the time."""
    from b2bcrm.bootstrap import build

    health = build(_settings()).erp.check()
    click.echo(f"{'ok' if health.ok else 'NOT OK'}: {health.message} {health.product}")
    if not health.ok:
        sys.exit(1)


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

    settings = _settings()
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


if __name__ == "__main__":
    main()
