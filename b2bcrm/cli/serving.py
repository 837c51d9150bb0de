"""Commands that serve: web, worker, the demo company and its ERP twin."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable

import click

from b2bcrm.cli.root import main, settings_here
from b2bcrm.settings import Settings

START_WITHIN_S = 90.0


@main.command()
@click.option("--size", type=click.Choice(["small", "demo", "large"]), default="demo")
@click.option("--seed", type=int, default=1)
def up(size: str, seed: int) -> None:
    """Serve: web, worker and, without DATABASE_URL, the demo company with its ERP twin."""
    settings = settings_here()
    for port in (settings.web_port, settings.web_port + 1)[: 1 + settings.demo]:
        if _taken(port):
            raise click.ClickException(
                f"Port {port} is in use. Another one: CRM_PORT=9000 ./crm up"
            )
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _prepare(settings, size, seed)
    for stop in (signal.SIGTERM, signal.SIGINT):  # a shell's background job ignores SIGINT
        signal.signal(stop, signal.default_int_handler)
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
        _stop(children)


def _stop(children: Iterable[subprocess.Popen[bytes]]) -> None:
    """End the parts; whoever asks once more must not leave them alone."""
    for again in (signal.SIGTERM, signal.SIGINT):
        signal.signal(again, signal.SIG_IGN)
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()


def _taken(port: int) -> bool:
    """Whether something serves there: two web servers could share a port and answer in turns."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


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

    if settings.demo and _stands(settings, migrations.newest()):
        return
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


def _stands(settings: Settings, newest: str) -> bool:
    """Whether the embedded demo is there, at the ``newest`` schema.

    Asked without loading SQLAlchemy: the second start should show its page in a few seconds.
    """
    import sqlite3

    path = settings.database_url.removeprefix("sqlite:///")
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    except sqlite3.Error:
        return False
    try:
        version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        kind = connection.execute("SELECT value FROM marker WHERE key = 'kind'").fetchone()
    except sqlite3.Error:
        return False
    finally:
        connection.close()
    return version == (newest,) and kind is not None


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
    settings = settings_here()
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
    house = build(settings_here())
    if once:
        process.run_once(house)
    else:
        process.run(house)


@main.command()
def twin() -> None:
    """The demo's ERP: a SOAP server in a process of its own."""
    from b2bcrm.demo.erp import serve_twin

    serve_twin(settings_here())


@main.command()
@click.option("--size", type=click.Choice(["small", "demo", "large"]), default="demo")
@click.option("--seed", type=int, default=1)
def reset(size: str, seed: int) -> None:
    """A fresh demo. Refuses any database that is not one."""
    from b2bcrm.demo.build import remove
    from b2bcrm.worker import house_lock

    settings = settings_here()
    if not settings.demo:
        raise click.ClickException("DATABASE_URL is set: reset only touches the embedded demo.")
    with house_lock(settings.data_dir) as free:
        if not free:
            raise click.ClickException("The demo is running: stop it first, with Ctrl-C.")
    try:
        remove(settings)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    _prepare(settings, size, seed)
    click.echo("A fresh demo is ready: ./crm up")


@main.group()
def demo() -> None:
    """The demo company."""


@demo.command("build")
@click.option("--size", type=click.Choice(["small", "demo", "large"]), default="demo")
@click.option("--seed", type=int, default=1)
def demo_build(size: str, seed: int) -> None:
    """Set up the demo company without serving it."""
    settings = settings_here()
    if not settings.demo:
        raise click.ClickException("DATABASE_URL is set: the demo is embedded only.")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _prepare(settings, size, seed)


@demo.command("advance")
@click.option("--days", type=click.IntRange(1, 60), required=True)
def demo_advance(days: int) -> None:
    """Move the demo's business clock; the ERP twin follows and the worker pulls."""
    from b2bcrm.demo.erp import advance

    settings = settings_here()
    if not settings.demo:
        raise click.ClickException("Only the embedded demo has a clock to move.")
    click.echo(f"The demo's clock stands at {advance(settings, days):%Y-%m-%d %H:%M} UTC.")


@demo.command("faults")
@click.option("--kind", "kinds", multiple=True, help="A kind of fault; repeatable. All by default.")
@click.option(
    "--operation", "operations", multiple=True, help="Only this one, such as ListItems; repeatable."
)
@click.option("--rate", type=click.FloatRange(0, 1), default=0.3, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--off", is_flag=True, help="Let everything go well again.")
@click.option("--list", "listed", is_flag=True, help="The kinds there are.")
def demo_faults(
    *,
    kinds: tuple[str, ...],
    operations: tuple[str, ...],
    rate: float,
    seed: int,
    off: bool,
    listed: bool,
) -> None:
    """Let the demo's ERP fail, so that the ERP monitor shows how that looks."""
    from b2bcrm.demo.erp import fault_kinds, set_faults

    settings = settings_here()
    if listed:
        click.echo("\n".join(fault_kinds()))
        return
    if unknown := sorted(set(kinds) - set(fault_kinds())):
        raise click.UsageError(f"No such kind: {', '.join(unknown)}. See --list.")
    if not settings.demo or not settings.twin_path.exists():
        raise click.ClickException("Only the embedded demo has an ERP that fails on demand.")
    set_faults(settings, kinds=kinds, rate=0.0 if off else rate, operations=operations, seed=seed)
    click.echo("The ERP is well again." if off else f"{rate:.0%} of the calls will fail.")
