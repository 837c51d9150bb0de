"""Two processes want the last pieces at once: no piece is held twice, none is left."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from b2bcrm.fulfillment.models import HoldLine, Stock
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.work import Office
from tests.conftest import NOW
from tests.factories import make_item, make_site

D = Decimal

SCRIPT = Path(__file__).parent / "holds_process.py"


@pytest.mark.db
@pytest.mark.slow
def test_two_hundred_holds_on_the_last_hundred_pieces_hold_exactly_a_hundred(database_url):
    engine = make_engine(database_url)
    office = Office(engine, pinned(NOW))
    with office.open() as work:
        make_site(work)
        item = make_item(work, no="PG-115", lead_time_days=35)
        work.session.add(
            Stock(item_no="PG-115", site_code="TC", on_hand=D(100), allocated=D(0), as_of=work.now)
        )
        item_id = item.id
    both = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), database_url, name, str(item_id), "100"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=SCRIPT.parents[2],
        )
        for name in ("one", "two")
    ]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    held = [int(process.communicate(timeout=120)[0]) for process in both]
    with office.open() as work:
        rows = work.session.scalars(sa.select(HoldLine.qty)).all()
    engine.dispose()
    assert sum(held) == 100
    assert sum(rows) == 100
