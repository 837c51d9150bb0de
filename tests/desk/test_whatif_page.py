"""The what-if page: a scenario lives in the address, and its measures are added by small forms."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from urllib.parse import quote

import pytest

from b2bcrm.catalog.models import WorkCenter
from b2bcrm.fulfillment.actions import project
from b2bcrm.fulfillment.models import LineProjection, PurchaseLine, Scenario
from b2bcrm.fulfillment.planning.measures import Down, First, Move, Rush, text_of
from b2bcrm.kernel.actor import Role
from b2bcrm.orders.models import Order
from tests.clients import client_for, make_app
from tests.factories import make_item, make_line, make_order, make_site
from tests.fulfillment.conftest import Plant, day
from tests.fulfillment.test_impact import publish

D = Decimal
pytestmark = pytest.mark.db
PAGE = "/fulfillment/what-if"


@pytest.fixture
def late(office):
    """An order of account <b> that waits for a purchase order."""
    with office.open() as work:
        item = make_item(work, no="PG-115")
        order = make_order(work, lines=[make_line(work, item)], incoterm="EXW")
        Plant(work).buy("PO-7", "PG-115", 10, "12-18", first="11-25", ref=f"{order.erp_no}/10")
        project(work, [order.id])
        publish(work)
        return order.no


@pytest.fixture
def client(office, tmp_path):
    return client_for(make_app(office, tmp_path), office, Role.PLANNER)


def tried(*measures, line=""):
    pairs = [f"m={quote(text_of(one))}" for one in measures] + ([f"line={line}"] if line else [])
    return f"{PAGE}?{'&'.join(pairs)}"


def test_an_empty_scenario_offers_measures(client, late):
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "Nothing is changed yet" in page.text
    assert "Another day for a purchase order" in page.text


def test_a_measure_is_shown_with_the_lines_it_moves(client, office, late):
    page = client.get(tried(Move("PO-7", day("11-30")))).text
    assert "PO-7 comes on" in page
    assert f"{late}" in page
    assert "in time" in page
    assert "Nothing changes in the ERP until" in page
    with office.open(read_only=True) as work:
        assert work.session.query(LineProjection).one().projected_on > day("12-18")


def test_a_form_adds_a_measure_to_those_in_the_address(client, late):
    answer = client.get(tried(First("SO-1/10")) + "&add=move&no=PO-7&on=2026-11-30")
    assert answer.status_code == 303
    assert answer.location.count("m=") == 2
    assert "move~PO-7~2026-11-30" in answer.location
    wrong = client.get(f"{PAGE}?add=move&no=PO-7&on=soon")
    assert wrong.status_code == 200
    assert "Fill in every field" in wrong.text


def test_hours_that_move_are_drawn_as_they_are_and_with_the_scenario(client, office, late):
    with office.open() as work:
        work.session.add(WorkCenter(code="M-1", name="Mill", site_code="TC", station="turning",
                                    hours_per_day=D(8), calendar_code="TW"))  # fmt: skip
        publish(work)
    page = client.get(tried(Down("M-1", day("11-30"), day("12-01")))).text
    assert "Hours at Mill" in page
    spec = json.loads(re.search(r'data-plot="([^"]+)"', page)[1].replace("&#34;", '"'))
    assert [one["name"] for one in spec["series"]] == ["As it is", "With it", "Capacity"]
    assert spec["series"][2]["data"][1:3] == [40, 24]


def test_an_item_is_allocated_anew_by_class(client, late):
    answer = client.get(f"{PAGE}?add=allocate&item=PG-115&a=gain&b=fill&others=lose")
    assert "allocate~PG-115~gain~fill~lose" in answer.location
    page = client.get(answer.location).text
    assert "PG-115 allocated anew. A: earlier, but not later" in page
    assert "Our plan serves no order line with PG-115." in page  # the ERP has pegged it
    assert "Fill in every field" in client.get(f"{PAGE}?add=allocate&item=PG-115&a=all").text
    page = client.get("/fulfillment/impact?kind=item&no=PG-115").text
    assert "open=allocate" in page
    assert "open=substitute" in page


def test_something_else_stands_in_for_an_item(client, office):
    with office.open() as work:
        item, other = make_item(work, no="PG-115", lead_time_days=60), make_item(work, no="PG-<b>")
        make_site(work, code="KS", name="Kunshan")
        order = make_order(work, lines=[make_line(work, item)], incoterm="EXW")
        Plant(work).stock(other.no, 30)
        for site, qty in (("TC", 0), ("KS", 30)):
            Plant(work).stock(item.no, qty, site=site)
        project(work, [order.id])
        publish(work)
    key = f"{order.no}/10"
    answer = client.get(f"{PAGE}?add=substitute&item=PG-115&by=PG-<b>&ratio=2&line={key}")
    page = client.get(answer.location).text
    assert "2 of PG-&lt;b&gt; instead of 1 of PG-115" in page
    assert f"Stands in for 10 of PG-115: {key}" in page
    assert "KS has PG-115 that TC lacks" in page
    ask = re.search(r'href="([^"]+open=other_site[^"]+)"', page)[1].replace("&amp;", "&")
    assert 'id="add-other_site" aria-labelledby="add-other_site-t" open' in client.get(ask).text
    answer = client.get(f"{ask}&add=other_site&days=3")
    page = client.get(answer.location).text
    assert "PG-115 at TC from KS, working days on the way: 3" in page
    assert "Nothing is taken: nobody is short" in page  # the substitute does
    assert "Fill in every field" in client.get(f"{ask}&add=other_site&days=soon").text


def test_what_would_mend_a_late_line_is_offered(client, late):
    page = client.get(f"{PAGE}?line={late}/10").text
    assert f"Ways to make {late}/10 earlier" in page
    assert "move~PO-7~" in page
    assert "No open order line has this number" in client.get(f"{PAGE}?line=SO-0/1").text


def test_prices_are_set_in_a_dialog_and_stand_beside_measures_and_ways(client, late):
    where = tried(Move("PO-7", day("11-30")))
    text = text_of(Move("PO-7", day("11-30")))
    answer = client.send(f"{PAGE}/prices", hour="1,200", day="800.50", penalty_pct="0.5", m=text)
    assert (answer.status_code, answer.location) == (303, where.replace("%7E", "~"))
    page = client.get(where).text
    assert 'value="1200"' in page or 'value="1,200"' in page
    assert "Price of the measures" in page
    assert "Penalties owed more" in page
    ways = client.get(tried(line=f"{late}/10")).text
    assert "Per day" in ways


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"hour": "much"}, "This is not a number."),
        ({"day": "-1"}, "At least 0."),
        ({"penalty_pct": "0.125"}, "At most 2 decimal places."),
        ({"penalty_most_pct": "101"}, "At most 100."),
    ],
)
def test_a_price_that_cannot_be_is_refused_with_a_sentence(client, late, typed, sentence):
    answer = client.send(f"{PAGE}/prices", **typed)
    assert sentence in client.get(answer.location).text


def test_what_changes_nothing_says_why(client, late):
    page = client.get(tried(Move("PO-99", day("11-30")), Rush("<b>x", D(1), day("12-01")))).text
    assert "PO-99 is no open purchase order." in page
    assert "<b>x" not in page
    assert "No order line moves" in page


def test_nonsense_in_the_address_is_left_out(client, late):
    page = client.get(f"{PAGE}?m=<script>&m=move~PO-7&line=%25")
    assert page.status_code == 200
    assert "Nothing is changed yet" in page.text


def test_the_board_and_the_order_lead_to_it(client, late):
    assert f"/fulfillment/what-if?line={late}/10" in client.get("/fulfillment").text
    assert f"/fulfillment/what-if?line={late}/10" in client.get(f"/orders/{late}").text
    page = client.get("/fulfillment/impact?kind=purchase_order&no=PO-7").text
    assert "open=move&amp;no=PO-7&amp;on=2026-12-18" in page


# -------------------------------------------------------------------------------- saved scenarios


def keep(client, *measures, name="Expedite", shared=""):
    data = {"m": [text_of(one) for one in measures], "name": name, "shared": shared}
    answer = client.send(f"{PAGE}/save", **data)
    assert answer.status_code == 303
    return answer.location


def test_a_scenario_is_kept_as_measures_and_worked_out_anew_when_it_is_opened(client, office, late):
    where = keep(client, Move("PO-7", day("11-30")))
    assert f"{late}" in client.get(where).text
    with office.open() as work:
        work.session.query(PurchaseLine).update({"confirmed_on": day("11-30")})
        project(work, [order.id for order in work.session.query(Order)])
    page = client.get(where).text
    assert "PO-7 comes on" in page
    assert "No order line moves" in page


def test_saving_under_a_name_of_ones_own_replaces_it(client, office, late):
    first = keep(client, Move("PO-7", day("11-30")))
    assert keep(client, Move("PO-7", day("12-02"))) == first
    with office.open(read_only=True) as work:
        (kept,) = work.session.query(Scenario).all()
        assert kept.measures == ["move~PO-7~2026-12-02"]


def test_only_what_is_shared_is_seen_by_others_and_only_its_owner_forgets_it(
    client, office, tmp_path, late
):
    own = keep(client, Move("PO-7", day("11-30")), name="<b>mine")
    open_to_all = keep(client, Move("PO-7", day("12-01")), name="Ours", shared="yes")
    other = client_for(make_app(office, tmp_path), office, Role.SALES_MANAGER)
    assert other.get(own).status_code == 404
    assert other.get(open_to_all).status_code == 200
    assert other.send(f"{open_to_all}/forget").status_code == 404
    page = client.get(PAGE).text
    assert "Ours" in page
    assert "<b>mine" not in page
    assert client.send(f"{own}/forget").status_code == 303
    assert client.get(own).status_code == 404


def test_two_scenarios_stand_side_by_side(client, late):
    one = keep(client, Move("PO-7", day("11-30")), name="Fast").rpartition("/")[2]
    two = keep(client, Move("PO-7", day("12-31")), name="Slow").rpartition("/")[2]
    page = client.get(f"{PAGE}/compare?s={one}&s={two}").text
    assert "Fast" in page
    assert "Slow" in page
    assert late in page
    assert "Choose two scenarios" in client.get(f"{PAGE}/compare?s={one}&s=x").text


def test_nothing_is_kept_without_a_name_or_a_measure_or_the_right_to(
    client, office, tmp_path, late
):
    assert "/fulfillment/what-if?" in keep(client, Move("PO-7", day("11-30")), name=" ")
    assert keep(client, name="Empty") == PAGE
    service = client_for(make_app(office, tmp_path), office, Role.SERVICE)
    assert service.get(PAGE).status_code == 200
    assert service.send(f"{PAGE}/save", name="x").status_code == 403
    with office.open(read_only=True) as work:
        assert work.session.query(Scenario).count() == 0


# ---------------------------------------------------------------------------- panel on the board


def test_the_board_opens_the_panel_beside_its_orders(client, late):
    closed = client.get("/fulfillment?weeks=4").text
    assert "/fulfillment?weeks=4&amp;panel=what-if" in closed
    assert 'hx-get="/fulfillment/what-if/panel"' not in closed
    page = client.get("/fulfillment?weeks=4&panel=what-if").text
    assert 'hx-get="/fulfillment/what-if/panel"' in page
    assert 'name="panel" value="what-if"' in page  # a filter leaves it open


def test_the_panel_fetches_itself_with_one_measure_more(client, late):
    url = f"{PAGE}/panel?m={quote(text_of(First('SO-1/10')))}"
    answer = client.get(f"{url}&add=move&no=PO-7&on=2026-11-30")
    assert answer.status_code == 200
    assert answer.text.count('type="checkbox" name="m"') == 2
    assert '" open><form' not in answer.text  # done, the form is closed again
    assert late in answer.text
    assert "<html" not in answer.text
    assert "Fill in every field" in client.get(f"{url}&add=move&no=PO-7&on=soon").text
