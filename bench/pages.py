"""Pages under load: requests per second, p50, p99, processor time, SQL statements, bytes.

Processor time per request is the figure that other work on the machine disturbs least.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import sqlalchemy as sa

from b2bcrm.app import create_app
from b2bcrm.bootstrap import build
from b2bcrm.desk.demo import DEMO_PASSWORD
from b2bcrm.fulfillment.actions import Promises
from b2bcrm.kernel.actor import Role
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.settings import Settings
from b2bcrm.users.models import User
from bench.load import Result, run

PORT, REFERENCE_PORT = 26_000, 26_010


@contextmanager
def served(target: str, port: int, environment: dict[str, str]) -> Iterator[int]:
    """Granian with two workers, as the product is served; ended by its own process id."""
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1",
        "--port", str(port), "--workers", "2", "--blocking-threads", "4", "--no-ws", target,
    ]  # fmt: skip
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"no answer on port {port}")


def processor_s(pid: int) -> float:
    """Processor time so far of a server and its workers, in seconds (Linux)."""
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    ticks = 0
    for process in (str(pid), *workers):
        after_name = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        ticks += sum(int(field) for field in after_name.split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """What the load generator saw, and the server's processor time per request in seconds."""

    result: Result
    processor_s: float


def load(pid: int, port: int, path: str, cookie: str, *, seconds: float) -> Measured:
    """Warm the page up, then measure it."""
    run(port, path, cookie, seconds=2)
    before = processor_s(pid)
    result = run(port, path, cookie, seconds=seconds)
    spent = processor_s(pid) - before
    assert result.latencies, f"{path}: no answer within {seconds} s"
    return Measured(result, spent / len(result.latencies))


def sign_in(port: int, email: str) -> str:
    """Sign in as a person would and answer the Cookie header."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    base = f"http://127.0.0.1:{port}"
    page = opener.open(f"{base}/login").read().decode()
    match = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert match is not None, "the sign-in page has no CSRF token"
    form = {"csrf_token": match[1], "email": email, "password": DEMO_PASSWORD}
    opener.open(f"{base}/login", urlencode(form).encode())
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def subjects(settings: Settings) -> dict[str, str]:
    """A portal user, a salesperson, and an open order of the buyer's with several lines."""
    house = build(settings)
    with house.office.open(read_only=True) as work:
        buyer = work.session.scalars(
            sa.select(User).where(User.role.in_([Role.BUYER, Role.BUYER_ADMIN])).order_by(User.id)
        ).first()
        seller = work.session.scalars(
            sa.select(User).where(User.role == Role.SALES).order_by(User.id)
        ).first()
        assert buyer is not None
        assert seller is not None
        no = work.session.scalar(
            sa.select(Order.no)
            .join(OrderLine)
            .where(Order.account_id == buyer.account_id, Order.state == "confirmed")
            .group_by(Order.id)
            .order_by(sa.func.count(OrderLine.id).desc())
        )
        found = {"buyer": buyer.email, "seller": seller.email, "order": no or ""}
    house.engine.dispose()
    return found


def statements(settings: Settings, path: str, cookie: str) -> int:
    """SQL statements of one page for whoever the cookie belongs to."""
    house = build(settings)
    app = create_app(
        house.office, settings, promises=Promises, files_dir=settings.files_dir, mailer=house.mailer
    )
    client = app.test_client(use_cookies=False)
    client.get(path, headers={"Cookie": cookie})
    count = 0

    def counted(*_args: object) -> None:
        nonlocal count
        count += 1

    sa.event.listen(house.engine, "before_cursor_execute", counted)
    answer = client.get(path, headers={"Cookie": cookie})
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    house.engine.dispose()
    return count


def look(settings: Settings) -> None:
    """What the worker does within seconds after each start: no worker runs beside the bench."""
    house = build(settings)
    house.sum_figures()
    house.engine.dispose()


def measure(
    settings: Settings, environment: dict[str, str], *, seconds: float, only: str = ""
) -> None:
    """Print the table, of all pages or of those whose name contains ``only``."""
    look(settings)
    found = subjects(settings)
    pages = [
        ("portal order list", "/portal/orders", "buyer"),
        ("portal order page", f"/portal/orders/{found['order']}", "buyer"),
        ("order page", f"/orders/{found['order']}", "seller"),
        ("order list", "/orders", "seller"),
        ("fulfilment board", "/fulfillment", "seller"),
    ]
    database = settings.database_url.removeprefix("sqlite:///")
    reference = {"BENCH_DATABASE": str(Path(database).resolve())}
    print(
        f"{'page':<20}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'cpu ms':>9}{'SQL':>5}{'kB':>7}"
        f"{'ratio':>8}{'cpu':>7}"
    )
    with served("bench.reference:make_app", REFERENCE_PORT, {**environment, **reference}) as pid:
        base = load(pid, REFERENCE_PORT, "/reference", "", seconds=seconds)
    _row("reference (Flask)", base, 1, base)
    with served("b2bcrm.app:from_environment", PORT, environment) as pid:
        cookies = {who: sign_in(PORT, found[who]) for who in ("buyer", "seller")}
        for name, path, who in pages:
            if only not in name:
                continue
            measured = load(pid, PORT, path, cookies[who], seconds=seconds)
            _row(name, measured, statements(settings, path, cookies[who]), base)


def _row(name: str, measured: Measured, sql: int, base: Measured) -> None:
    """``ratio`` and ``cpu`` compare with the reference page: wall and processor time."""
    result = measured.result
    wrong = f"  {result.wrong} wrong answers" if result.wrong else ""
    print(
        f"{name:<20}{result.rate:>9.0f}{result.percentile(0.5):>9.1f}"
        f"{result.percentile(0.99):>9.1f}{1000 * measured.processor_s:>9.2f}{sql:>5}"
        f"{result.size / 1000:>7.1f}{result.rate / base.result.rate:>8.2f}"
        f"{base.processor_s / measured.processor_s:>7.2f}{wrong}",
        flush=True,
    )
