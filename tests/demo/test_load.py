"""Loading in bulk stores what a pull over SOAP stores, row for row."""

from __future__ import annotations

import shutil
from pathlib import Path

from b2bcrm.bootstrap import APPLIERS
from b2bcrm.demo import firm
from b2bcrm.demo.load import load_world
from b2bcrm.fulfillment.actions import project_all
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.engine import FEEDS, Puller
from b2bcrm.sync.models import RunOutcome
from connectors.erp.twin.world import TwinWorld
from tests.conftest import NOW
from tests.demo.conftest import SEED, empty_office
from tests.demo.tables import everything
from tests.twins import Twin

TABLES = (
    *("account", "ship_to", "contact", "item", "customer_part", "bom_row", "routing_row"),
    *("work_center", "price_break", "stock", "order", "order_line", "purchase_line"),
    *("work_order", "operation", "shipment", "shipment_line", "invoice", "promise"),
    *("line_projection", "order_projection", "short_part", "number_counter"),
)


def test_bulk_load_and_pull_over_soap_give_the_same_rows(
    twin: Twin, small_world: Path, tmp_path: Path
) -> None:
    pulled = empty_office(tmp_path / "pulled.sqlite3")
    with pulled.open() as work:
        firm.found(work, SEED)
    puller = Puller(pulled, twin.gateway, "main", APPLIERS)
    puller.ensure_feeds()
    for entity in FEEDS:
        assert puller.pull(entity) is RunOutcome.COMPLETE
    with pulled.open() as work:
        project_all(work)

    path = Path(shutil.copy(small_world, tmp_path / "bulk-twin.sqlite3"))
    world = TwinWorld(path, now=lambda: NOW)
    world.advance_to(NOW)
    world.close()
    loaded = empty_office(tmp_path / "loaded.sqlite3")
    with loaded.open() as work:
        firm.found(work, SEED)
    with loaded.open() as work:
        read = load_world(work, path)

    with loaded.open(read_only=True) as mine, pulled.open(read_only=True) as theirs:
        ours, soap = everything(mine, TABLES), everything(theirs, TABLES)
    for name in TABLES:
        assert ours[name] == soap[name], name
    assert read[Entity.SALES_ORDER] == len(ours["order"]) > 0
    pulled.engine.dispose()
    loaded.engine.dispose()
