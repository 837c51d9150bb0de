"""Pages under load at size ``large``: requests per second, p50, p99, SQL statements, bytes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
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
def served(target: str, port: int, environment: dict[str, str]) -> Iterator[None]:
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
        yield
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
    print(f"{'page':<20}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'SQL':>5}{'kB':>7}{'ratio':>8}")
    with served("bench.reference:make_app", REFERENCE_PORT, {**environment, **reference}):
        run(REFERENCE_PORT, "/reference", "", seconds=2)
        base = run(REFERENCE_PORT, "/reference", "", seconds=seconds)
    _row("reference (Flask)", base, 1, base.rate)
    with served("b2bcrm.app:from_environment", PORT, environment):
        cookies = {who: sign_in(PORT, found[who]) for who in ("buyer", "seller")}
        for name, path, who in pages:
            if only not in name:
                continue
            run(PORT, path, cookies[who], seconds=2)
            result = run(PORT, path, cookies[who], seconds=seconds)
            _row(name, result, statements(settings, path, cookies[who]), base.rate)


def _row(name: str, result: Result, sql: int, base: float) -> None:
    wrong = f"  {result.wrong} wrong answers" if result.wrong else ""
    print(
        f"{name:<20}{result.rate:>9.0f}{result.percentile(0.5):>9.1f}"
        f"{result.percentile(0.99):>9.1f}{sql:>5}{result.size / 1000:>7.1f}"
        f"{result.rate / base:>8.2f}{wrong}",
        flush=True,
    )
