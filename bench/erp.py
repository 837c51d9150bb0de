"""The ERP over real HTTP on loopback: rows pulled and orders pushed per second."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path

from b2bcrm.kernel.clock import machine_now
from b2bcrm.ports.erp import Connection, Entity, OrderDraft, OrderDraftLine, SalesOrder
from connectors.erp.gateway import connect
from connectors.erp.twin.listening import make_server
from connectors.erp.twin.server import TwinApp
from connectors.erp.twin.world import TwinWorld

PUSHES = 100


def measure(twin_path: Path) -> None:
    """Print rows per second of three feeds and creates per second."""
    world = TwinWorld(twin_path, now=machine_now)
    server = make_server(TwinApp(world, user="crm", password="bench"), "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    erp = connect(Connection("main", "twin", address, "FPD-TW", "crm", "bench"))
    print(f"\n{'ERP over HTTP':<24}{'rows':>9}{'per s':>9}")
    sample: SalesOrder | None = None
    for entity in (Entity.ITEM, Entity.SALES_ORDER, Entity.WORK_ORDER):
        start, rows, cursor = time.perf_counter(), 0, None
        while time.perf_counter() - start < 20:
            page = erp.list(entity, cursor=cursor, page_size=200)
            rows += len(page.records)
            for record in page.records:
                if isinstance(record, SalesOrder) and record.status == "open":
                    sample = record
            cursor = page.next_cursor
            if cursor is None:
                break
        print(f"pull {entity.value:<19}{rows:>9}{rows / (time.perf_counter() - start):>9.0f}")
    assert sample is not None
    start = time.perf_counter()
    for n in range(PUSHES):
        erp.create(_draft(sample, n))
    print(f"push sales orders       {PUSHES:>9}{PUSHES / (time.perf_counter() - start):>9.0f}")
    server.shutdown()
    world.close()


def _draft(like: SalesOrder, n: int) -> OrderDraft:
    lines = tuple(
        OrderDraftLine(
            line_no=line.line_no,
            item=line.item,
            qty=line.qty,
            uom=line.uom,
            unit_price=line.unit_price,
            discount_pct=line.discount_pct,
            requested_on=line.requested_on,
            promised_on=line.promised_on,
        )
        for line in like.lines
    )
    names = {field.name for field in dataclasses.fields(OrderDraft)} - {
        "reference",
        "note",
        "lines",
    }
    same = {name: getattr(like, name) for name in names}
    return OrderDraft(**same, reference=f"SO-99-{n:05d}/0", note="", lines=lines)
