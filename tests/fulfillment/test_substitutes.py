"""Dates from the live plan that rest on a substitute, and what is said of them."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.catalog.models import BomRow, ItemKind
from b2bcrm.fulfillment.actions import Promises
from b2bcrm.fulfillment.models import HoldLine
from tests.factories import make_item
from tests.fulfillment.conftest import day
from tests.fulfillment.test_live_plan import ask, publish, pump, wish

__all__ = ["pump"]  # a fixture

D = Decimal
pytestmark = pytest.mark.db


@pytest.fixture(autouse=True)
def axle(work, pump):
    """Axles may stand in for shafts, of which there are ten."""
    make_item(work, no="AXLE", kind=ItemKind.BUY, lead_time_days=30, sellable=False)
    row = BomRow(item_no="PG-115", component_no="AXLE", qty_per=D(1), unit="pcs",
                 stands_in_for="SHAFT")  # fmt: skip
    work.session.add(row)


def test_a_date_rests_on_what_stands_in(work, plant, pump):
    plant.stock("AXLE", 3)
    publish(work)
    assert ask(work, pump, 11).full_on == day("11-19")
    Promises(work).hold("Q-1/0", [wish(pump, 11)], work.today, at_worst={"10": day("11-27")})
    held = work.session.scalars(sa.select(HoldLine)).one()
    takes = {(row["kind"], row["item"], row["qty"]) for row in held.sources if row.get("item")}
    assert takes == {("stock", "SHAFT", "10"), ("stock", "AXLE", "1")}


def test_what_stands_in_decides_the_date_by_its_own_document(work, plant, pump):
    plant.buy("PO-1", "AXLE", 40, "11-23")
    publish(work)
    assert str(ask(work, pump, 11).reason) == (
        "made anew by Tue 24 Nov 2026, as AXLE of PO-1 comes on Mon 23 Nov 2026"
    )


def test_a_component_is_still_said_to_be_bought(work, pump):
    publish(work)
    assert str(ask(work, pump, 11).reason) == (
        "made anew by Wed 2 Dec 2026, as SHAFT has to be bought and comes on Tue 1 Dec 2026"
    )
