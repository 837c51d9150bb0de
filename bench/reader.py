"""Our streaming reader against zeep's own parse and against bare lxml, on one big reply.

Each way runs in a fresh process: best of a few rounds of processor time, and what its peak
memory grew by over the process with the reply's bytes already in it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from b2bcrm.kernel.clock import machine_now
from b2bcrm.ports.erp import Connection, Entity
from bench import book
from bench.memory import peak_mb
from connectors.erp.gateway import connect
from connectors.erp.twin.inprocess import mount
from connectors.erp.twin.server import TwinApp
from connectors.erp.twin.world import TwinWorld
from connectors.erp.wsdls import WSDL_DIR

BASE = "http://erp.test"
ORDERS = 2_000  # of ten lines each
ROUNDS = 3
WHOLE = "reply.xml"
WAYS = ("lxml", "zeep", "reader", "reader, by pages")
PAGE = 200  # orders, as many as the engine asks for and has in memory at a time
CONNECTION = Connection("bench", "twin", BASE, book.COMPANY, "crm", "bench")


def measure(folder: Path) -> None:
    """Print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_replies(folder)
    megabytes = (folder / WHOLE).stat().st_size / 1e6
    print(
        f"\n{f'reply of {ORDERS * book.LINES} lines, {megabytes:.1f} MB':<34}"
        f"{'cpu s':>8}{'growth MB':>11}{'x zeep':>8}"
    )
    found = {}
    for way in WAYS:
        done = subprocess.run(
            [sys.executable, "-m", "bench.reader", way, str(folder)],
            stdout=subprocess.PIPE,
            check=True,
        )
        found[way] = json.loads(done.stdout.splitlines()[-1])
    for way, figures in found.items():
        ratio = found["zeep"]["cpu"] / figures["cpu"]
        print(f"{way:<34}{figures['cpu']:>8.2f}{figures['growth']:>11.1f}{ratio:>8.1f}")


def _write_replies(folder: Path) -> None:
    """The twin's own answers: everything in one, and the same by pages."""
    path = folder / "reader-twin.sqlite3"
    path.unlink(missing_ok=True)
    book.write(path, book.Size(customers=100, items=200, orders=ORDERS, work_orders=0))
    world = TwinWorld(path, now=machine_now)
    app = TwinApp(world, user="crm", password="bench", validate_replies=False)
    session = mount(app, BASE)
    kept: list[bytes] = []
    session.hooks["response"].append(lambda answer, **_: kept.append(answer.raw.data))
    service = _service(session)
    service.ListSalesOrders(PageSize=ORDERS + 100)
    (folder / WHOLE).write_bytes(kept.pop())
    cursor: str | None = None
    for n in range(ORDERS // PAGE):
        service.ListSalesOrders(PageSize=PAGE, Cursor=cursor)
        (folder / f"page-{n:03}.xml").write_bytes(kept[-1])
        found = re.search(rb"NextCursor>([^<]+)<", kept.pop())
        cursor = found[1].decode() if found else None
    world.close()


def _service(session: requests.Session, *, raw: bool = True) -> Any:
    """Zeep's callable operations, as anybody would make them."""
    import zeep
    from zeep.transports import Transport

    session.auth = (CONNECTION.user, CONNECTION.secret)
    made = zeep.Client(
        str(WSDL_DIR / "twin-1/erp.wsdl"),
        transport=Transport(session=session),
        settings=zeep.Settings(raw_response=raw),
    )
    return made.create_service("{urn:formosa:erp:1}ErpSoap", f"{BASE}/soap")


class _Canned(BaseAdapter):
    """Answers with the same bodies in turn."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        super().__init__()
        self._bodies = cycle(bodies)

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        """The next stored reply, unread."""
        import io

        raw = HTTPResponse(
            body=io.BytesIO(next(self._bodies)),
            headers={"Content-Type": "text/xml; charset=utf-8"},
            status=200,
            preload_content=False,
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


def _ways(bodies: Sequence[bytes]) -> Mapping[str, Callable[[], int]]:
    session = requests.Session()
    session.mount(BASE, _Canned(bodies))

    def lxml() -> int:
        from lxml import etree

        return len(etree.fromstring(bodies[0], etree.XMLParser(huge_tree=True))[0][0]) - 1

    def zeep() -> int:
        answer = _service(session, raw=False).ListSalesOrders(PageSize=1)
        return len(answer.SalesOrder)

    def reader() -> int:
        return len(gateway.list(Entity.SALES_ORDER).records)

    def by_pages() -> int:
        return sum(len(gateway.list(Entity.SALES_ORDER).records) for _body in bodies)

    gateway = connect(CONNECTION, session=session)
    return {"lxml": lxml, "zeep": zeep, "reader": reader, "reader, by pages": by_pages}


def _run(way: str, folder: Path) -> None:
    pages = sorted(folder.glob("page-*.xml")) if way.endswith("pages") else [folder / WHOLE]
    act = _ways([path.read_bytes() for path in pages])[way]
    before = peak_mb()
    seconds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        count = act()
        seconds.append(time.process_time() - start)
        if count < ORDERS:
            raise SystemExit(f"{way} read {count} orders of {ORDERS}")
    print(json.dumps({"cpu": min(seconds), "growth": peak_mb() - before}))


if __name__ == "__main__":
    _run(sys.argv[1], Path(sys.argv[2]))
