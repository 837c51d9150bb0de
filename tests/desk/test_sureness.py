"""How sure our dates are: the night's test as staff read it."""

from __future__ import annotations

import json
import re

import pytest

from b2bcrm.catalog.models import ItemFamily
from b2bcrm.fulfillment.models import SurenessRun
from b2bcrm.kernel.actor import Role
from tests.clients import client_for

REPORT = {
    "lines": 6711,
    "true_pct": [51.34, 80.32, 94.27],
    "families": {"SW": {"orders": 558, "true_pct": [54.76, 82.14, 94.4]}},
    "coming": [418, 79.9, 81.58, 83.01],
    "loss": [[0.624, 0.924, 0.932], [0.587, 0.588, 0.588], [0.35, 0.419, 0.398]],
}


@pytest.mark.db
def test_what_was_foretold_stands_beside_what_came(app, office):
    with office.open() as work:
        work.session.add(ItemFamily(code="SW", name="Strain-wave reducers"))
        work.session.add(
            SurenessRun(made_on=work.today, made_at=work.now, levels={}, report=REPORT)
        )
    page = client_for(app, office, Role.PLANNER).get("/fulfillment/sureness").text
    assert "6711" in page.replace(",", "")
    for cell in ("Strain-wave reducers", "558", "54.8 %", "94.3 %", "0.62", "0.92"):
        assert cell in page
    assert "Of 418 promised lines 81.6 % keep their first promise" in page
    assert "in eight of ten rounds 79.9 % to 83.0 %" in page
    spec = json.loads(re.search(r'data-plot="([^"]+)"', page)[1].replace("&#34;", '"'))
    assert spec["categories"] == ["All", "Strain-wave reducers"]
    assert [s["data"] for s in spec["series"]][:3] == [[51.3, 54.8], [80.3, 82.1], [94.3, 94.4]]


@pytest.mark.db
@pytest.mark.parametrize("report", [None, {}])
def test_before_anything_was_tested_the_page_says_so(app, office, report):
    if report is not None:
        with office.open() as work:
            run = SurenessRun(made_on=work.today, made_at=work.now, levels={}, report=report)
            work.session.add(run)
    page = client_for(app, office, Role.PLANNER).get("/fulfillment/sureness")
    assert "Too few promises have come due" in page.text
