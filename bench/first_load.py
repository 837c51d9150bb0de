"""``./crm bench erp``: the first load of a big book over real HTTP, and a delta without news.

The twin serves in a process of its own and each feed is pulled in a fresh one, so that its peak
memory is its own. The figures are the CRM's; the twin shares the machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from b2bcrm import migrations
from b2bcrm.bootstrap import build
from b2bcrm.demo import firm
from b2bcrm.kernel.clock import machine_now
from b2bcrm.ports.erp import Entity
from b2bcrm.settings import Settings
from bench import book
from bench.memory import peak_mb
from connectors.erp.twin.listening import serve
from connectors.erp.twin.world import TwinWorld

PORT = 26_020
USER, PASSWORD = "crm", "bench"
PARTS = {  # rows inside one document
    Entity.CUSTOMER: 1,
    Entity.ITEM: 1,
    Entity.BOM: book.COMPONENTS,
    Entity.WORK_CENTER: 1,
    Entity.SALES_ORDER: book.LINES,
    Entity.WORK_ORDER: book.OPERATIONS,
}
WANTED_MB = 300


def measure(folder: Path, size: book.Size) -> None:
    """Write the book, pull every feed once, then the orders again although nothing changed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start = time.perf_counter()
    book.write(folder / "twin.sqlite3", size)
    print(f"book written: {time.perf_counter() - start:.1f} s\n")
    house = build(_settings(folder))
    migrations.upgrade(house.engine)
    with house.office.open() as work:
        firm.found(work, seed=1)
    house.puller.ensure_feeds()
    house.engine.dispose()
    print(
        f"{'feed':<24}{'rows':>9}{'wall s':>9}{'rows/s':>9}{'cpu s':>9}{'peak MB':>9}{'written':>9}"
    )
    with _twin(folder):
        peak = max(_pulled(folder, entity.value, "") for entity in PARTS)
        book.touch(folder / "twin.sqlite3", Entity.SALES_ORDER)
        peak = max(peak, _pulled(folder, Entity.SALES_ORDER.value, " unchanged"))
    print(f"peak of one worker: {peak} MB (wanted: below {WANTED_MB})")


def _settings(folder: Path) -> Settings:
    return Settings.from_env(
        {
            "CRM_DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'crm.sqlite3'}",
            "CRM_SECRET_KEY": "x" * 32,
            "CRM_BASE_URL": "http://127.0.0.1:1",
            "SMTP_URL": "smtp+plain://127.0.0.1:1",
            "ERP_URL": f"http://127.0.0.1:{PORT}",
            "ERP_USER": USER,
            "ERP_SECRET": PASSWORD,
        }
    )


@contextmanager
def _twin(folder: Path) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "bench.first_load", "twin", str(folder)])
    try:
        end = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/soap?wsdl", timeout=1).close()
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def _pulled(folder: Path, entity: str, note: str) -> int:
    """Pull one feed in a fresh process and print its row; answers its peak memory in MB."""
    answer = subprocess.run(
        [sys.executable, "-m", "bench.first_load", "pull", str(folder), entity],
        stdout=subprocess.PIPE,
        check=True,
    )
    found = json.loads(answer.stdout.splitlines()[-1])
    rows, wall = found["read"] * PARTS[Entity(entity)], found["wall"]
    print(
        f"{entity + note:<24}{rows:>9}{wall:>9.1f}{rows / wall:>9.0f}{found['cpu']:>9.1f}"
        f"{found['peak']:>9}{found['changed']:>9}",
        flush=True,
    )
    return int(found["peak"])


def _pull(folder: Path, entity: Entity) -> None:
    house = build(_settings(folder))
    wall, cpu = time.perf_counter(), time.process_time()
    outcome = house.puller.pull(entity)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    run = _last_run(folder)
    figures = {
        "outcome": str(outcome),
        "wall": wall,
        "cpu": cpu,
        "peak": round(peak_mb()),
        **run,
    }
    if outcome != "complete":
        raise SystemExit(f"{entity}: {outcome} {run}")
    print(json.dumps(figures))


def _last_run(folder: Path) -> dict[str, object]:
    import sqlite3

    with sqlite3.connect(folder / "crm.sqlite3") as db:
        read, changed, error = db.execute(
            "SELECT rows_read, rows_changed, error FROM sync_run ORDER BY id DESC LIMIT 1"
        ).fetchone()
    return {"read": read, "changed": changed, "error": error}


def _serve(folder: Path) -> None:
    world = TwinWorld(folder / "twin.sqlite3", now=machine_now)
    serve(world, "127.0.0.1", PORT, user=USER, password=PASSWORD, validate_replies=False)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    if sys.argv[1] == "twin":
        _serve(Path(sys.argv[2]))
    else:
        _pull(Path(sys.argv[2]), Entity(sys.argv[3]))
