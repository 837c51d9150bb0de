"""The demo company as a person meets it: web, worker and ERP twin, each a process of its own.

Everything goes through the product's own commands and files; nothing is imported from the
processes that run. ``Company`` starts and stops them and looks into the twin's file.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

from connectors.erp.twin.world import TwinWorld

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("twin", "worker", "web")
READY_WITHIN_S = 60.0
ENDS_WITHIN_S = 20.0
PULLS_WITHIN_S = 60.0


def free_port() -> int:
    """A port P on the loopback address such that P + 1, the twin's, is free as well."""
    while True:
        with closing(socket.socket()) as first, closing(socket.socket()) as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


class Company:
    """One demo in ``folder``, served on a free port of the loopback address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What the product's commands read."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CRM_", "ERP_"))}
        kept.pop("DATABASE_URL", None)
        return {
            **kept,
            "CRM_DATA_DIR": str(self.folder),
            "CRM_PORT": str(self.port),
            "CRM_WEB_WORKERS": "1",
            "CRM_CHEAP_PASSWORDS": "1",
        }

    def crm(self, *arguments: str) -> str:
        """What ``./crm ARGUMENTS`` prints; a failure raises with all of it."""
        done = subprocess.run(
            [sys.executable, "-m", "b2bcrm.cli", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"crm {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    # ----- processes -----

    def start(self, part: str) -> None:
        """Start one part; ``wait`` tells when it is ready."""
        with self._log(part).open("ab") as log:
            self.running[part] = subprocess.Popen(
                [sys.executable, "-m", "b2bcrm.cli", part],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def stop(self, part: str) -> None:
        """End one part, as a machine that shuts down would."""
        process = self.running.pop(part)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def open(self) -> None:
        """Start all parts and wait until a person could use them."""
        for part in PARTS:
            self.start(part)
        self.wait()

    def close(self) -> None:
        """End all parts."""
        for part in tuple(self.running):
            self.stop(part)

    def wait(self) -> None:
        """Until web and twin answer; a part that has ended raises with its log."""
        for address in (f"{self.url}/health", f"http://127.0.0.1:{self.port + 1}/soap?wsdl"):
            end = time.monotonic() + READY_WITHIN_S
            while not _answers(address):
                for part, process in self.running.items():
                    if process.poll() is not None:
                        raise RuntimeError(f"{part} has ended.\n{self.logs()}")
                if time.monotonic() > end:
                    raise RuntimeError(f"{address} does not answer.\n{self.logs()}")
                time.sleep(0.1)

    def logs(self, last: int = 4000) -> str:
        """The end of each part's log."""
        files = sorted(self.folder.glob("journey-*.log"))
        return "\n".join(f"--- {f.stem}\n{f.read_text(errors='replace')[-last:]}" for f in files)

    def _log(self, part: str) -> Path:
        return self.folder / f"journey-{part}.log"

    # ----- the ERP -----

    def advance(self, days: int) -> None:
        """Move the demo's clock; the twin lives through the days, and the worker has pulled."""
        (last,) = self._ask("SELECT max(id) FROM sync_run")
        (feeds,) = self._ask("SELECT count(*) FROM feed")
        self.crm("demo", "advance", "--days", str(days))
        done = "SELECT count(DISTINCT feed_id) FROM sync_run WHERE id > ? AND finished_at > ''"
        end = time.monotonic() + PULLS_WITHIN_S
        while self._ask(done, last) != (feeds,):
            if time.monotonic() > end:
                raise RuntimeError(f"The worker did not pull all feeds.\n{self.logs()}")
            time.sleep(0.2)

    def _ask(self, query: str, *values: object) -> tuple[Any, ...]:
        with closing(sqlite3.connect(self.folder / "crm.sqlite3")) as db:
            found: tuple[Any, ...] = db.execute(query, values).fetchone()
        return found

    def now(self) -> dt.datetime:
        """The demo's business time."""
        (ahead,) = self._ask("SELECT ahead_s FROM business_clock")
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ahead)

    def world(self) -> TwinWorld:
        """The twin's world over a connection of our own, as an ERP user's terminal; close it."""
        return TwinWorld(self.folder / "twin.sqlite3", now=self.now)

    def erp_orders(self, order_no: str) -> list[dict[str, Any]]:
        """The sales orders in the twin's own table that carry a reference of ours."""
        query = "SELECT erp_id, reference, status, body FROM sales_order WHERE reference LIKE ?"
        with closing(sqlite3.connect(self.folder / "twin.sqlite3")) as db:
            rows = db.execute(query, (f"{order_no}/%",)).fetchall()
        names = ("erp_id", "reference", "status")
        return [{**dict(zip(names, row, strict=False)), **json.loads(row[3])} for row in rows]


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, OSError):
        return False
