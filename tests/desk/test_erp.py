"""The ERP monitor: ages, runs, what waits, what was said; and the acts of an operator."""

from __future__ import annotations

import datetime as dt

import pytest

from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.words import Message
from b2bcrm.orders.lifecycle import ErpSync
from b2bcrm.sync.models import (
    Envelope,
    ErpConnection,
    Feed,
    ParkedRow,
    RunOutcome,
    SyncRun,
    Writes,
)
from b2bcrm.sync.writes import WRITES_OFF
from tests.clients import client_for, make_app
from tests.factories import make_order
from tests.test_statements import MOST

NO_COMPANY = 3  # looks for a company that this empty database has not


@pytest.fixture
def app(office, tmp_path):
    return make_app(office, tmp_path)


@pytest.fixture
def operator(app, office):
    return client_for(app, office, Role.ERP_ADMIN)


def make_feed(work, entity="stock", *, age=2, outcomes=(RunOutcome.COMPLETE,), **facts) -> Feed:
    at = work.now - dt.timedelta(minutes=age)
    values = {
        "connection_code": "main",
        "entity": entity,
        "every_s": 15,
        "limit_minutes": 30,
        "data_as_of": at,
        "last_ok_at": at,
        "next_at": work.tick + dt.timedelta(hours=1),
    }
    feed = Feed(**(values | facts))
    work.session.add(feed)
    work.session.flush()
    for n, outcome in enumerate(outcomes):
        start = work.tick - dt.timedelta(minutes=len(outcomes) - n)
        work.session.add(
            SyncRun(
                feed_id=feed.id,
                started_at=start,
                finished_at=start + dt.timedelta(seconds=2),
                outcome=outcome,
                rows_read=100 + n,
                rows_changed=7,
                error=Message("401 token expired") if outcome is RunOutcome.FAILED else None,
            )
        )
    work.session.flush()
    return feed


def make_delivery(work, **facts) -> Delivery:
    values = {
        "event": "order.confirmed",
        "handler": "erp.push_order",
        "stream": "order:1",
        "payload": {"no": "SO-26-10482"},
        "created_at": work.tick - dt.timedelta(minutes=50),
        "next_at": work.tick + dt.timedelta(minutes=5),
        "state": DeliveryState.PARKED,
        "reason": Message("The customer is blocked."),
    }
    row = Delivery(**(values | facts))
    work.session.add(row)
    work.session.commit()
    return row


def shown(client, url="/erp") -> str:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_an_empty_database_shows_no_figures(operator):
    page = shown(operator)
    assert "No feed has run yet" in page
    assert 'class="kpi"' not in page
    assert "Nothing waits" in page
    assert "No record is held back" in shown(operator, "/erp/findings")
    assert "No exchange here" in page


@pytest.mark.db
def test_a_feed_shows_lag_age_and_its_last_runs(work, operator):
    outcomes = [RunOutcome.COMPLETE] * 28 + [RunOutcome.FAILED] * 2
    make_feed(work, "purchase_order", age=41, outcomes=outcomes)
    work.session.commit()
    page = shown(operator)
    assert "Purchase orders" in page
    assert "41 min" in page
    assert "max. 30 min" in page
    assert "Failing, try 2" in page
    assert "401 token expired" in page
    assert "2 of the last 24 runs failed" in page
    assert page.count('<i data-status="late">') == 2


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({}, "Healthy"),
        ({"age": 31}, "Data too old"),
        ({"outcomes": (RunOutcome.PARTIAL,)}, "Incomplete"),
        ({"outcomes": ()}, "Not run yet"),
        ({"outcomes": (RunOutcome.FAILED, RunOutcome.RUNNING)}, "Failing, try 1"),
    ],
)
def test_each_feed_has_one_status(work, operator, facts, word):
    make_feed(work, **facts)
    work.session.commit()
    assert word in shown(operator)


def test_an_open_breaker_is_the_banner(work, operator):
    make_feed(work)
    work.session.add(
        ErpConnection(
            code="main",
            open_until=work.tick + dt.timedelta(minutes=1),
            last_error=Message("Connection refused."),
        )
    )
    work.session.commit()
    page = shown(operator)
    assert "does not answer; it is left alone until 09:41" in page
    assert "Connection refused." in page


def test_a_parked_delivery_is_shown_with_its_reason_and_sent_again(work, operator):
    row = make_delivery(work)
    page = shown(operator)
    assert 'href="/orders/SO-26-10482"' in page
    assert "The customer is blocked." in page
    assert operator.send(f"/erp/deliveries/{row.id}/retry").status_code == 303
    work.session.refresh(row)
    assert (row.state, row.next_at) == (DeliveryState.WAITING, work.tick)


def test_sending_again_tries_an_erp_that_is_left_alone_at_once(work, operator):
    row, feed = make_delivery(work, target="main"), make_feed(work)
    later = work.tick + dt.timedelta(minutes=10)
    connection = ErpConnection(code="main", failures=7, open_until=later)
    work.session.add(connection)
    work.session.commit()
    operator.send(f"/erp/deliveries/{row.id}/retry")
    for one in (feed, connection):
        work.session.refresh(one)
    assert (feed.next_at, connection.open_until) == (work.tick, work.tick)  # one read comes first


def test_a_delivery_that_is_done_cannot_be_sent_again(work, operator):
    row = make_delivery(work, state=DeliveryState.DONE)
    assert operator.send(f"/erp/deliveries/{row.id}/retry").status_code == 404


def test_only_an_operator_may_act_or_read_what_was_said(app, office, work):
    row, feed = make_delivery(work), make_feed(work)
    work.session.add(envelope(work))
    work.session.commit()
    sales = client_for(app, office, Role.SALES)
    page = shown(sales)
    assert "/retry" not in page
    assert "/erp/exchanges/" not in page
    for url in (f"/erp/deliveries/{row.id}/retry", f"/erp/feeds/{feed.id}/pull", "/erp/pull"):
        assert sales.send(url).status_code == 403
    assert sales.get("/erp/exchanges/1").status_code == 403
    work.session.refresh(row)
    assert row.state is DeliveryState.PARKED


@pytest.mark.db
def test_a_feed_is_pulled_now_and_the_breaker_closed(work, operator):
    feed, other = make_feed(work), make_feed(work, "item")
    connection = ErpConnection(code="main", open_until=work.tick + dt.timedelta(minutes=1))
    work.session.add(connection)
    work.session.commit()
    assert operator.send(f"/erp/feeds/{feed.id}/pull").status_code == 303
    for row in (feed, other, connection):
        work.session.refresh(row)
    assert (feed.next_at, connection.open_until) == (work.tick, None)
    assert other.next_at > work.tick
    operator.send("/erp/pull")
    work.session.refresh(other)
    assert other.next_at == work.tick
    assert operator.send("/erp/feeds/999999/pull").status_code == 404


def test_parked_rows_are_shown_with_their_reason(work, operator):
    work.session.add(
        ParkedRow(
            connection_code="main",
            entity="sales_order",
            erp_id="E010499",
            reason=Message("Item %(no)s is not known yet.", no="BS-X1"),
            first_at=work.tick,
            last_at=work.tick,
            tries=5,
        )
    )
    make_feed(work)
    work.session.commit()
    page = shown(operator, "/erp/findings")
    assert "E010499" in page
    assert "Item BS-X1 is not known yet." in page


def envelope(work, reference="SO-26-10482/1", **facts) -> Envelope:
    values = {
        "connection_code": "main",
        "at": work.tick,
        "correlation_id": f"c-{reference}",
        "operation": "CreateSalesOrder",
        "reference": reference,
        "status": 200,
        "seconds_ms": 420,
        "request": "<a><b>1</b></a>",
        "reply": "<ok/>",
    }
    return Envelope(**(values | facts))


@pytest.mark.db
def test_exchanges_are_found_by_order_number(work, operator):
    work.session.add_all(
        [envelope(work), envelope(work, "SO-26-10499/0", error=Message("BLOCKED"))]
    )
    work.session.commit()
    page = shown(operator, "/erp?q=so-26-10482")
    assert "SO-26-10482/1" in page
    assert "SO-26-10499/0" not in page
    assert "SO-26-10482/1" not in shown(operator, "/erp?only=failed")
    assert "No exchange here" in shown(operator, "/erp?q=%25")


def test_pulls_that_went_well_are_shown_only_on_request(work, operator):
    pulls = {"operation": "ListStock", "reference": ""}
    work.session.add_all(
        [
            envelope(work),
            envelope(work, **pulls, correlation_id="quiet"),
            envelope(work, **(pulls | {"operation": "ListItems"}), error=Message("TIMEOUT")),
        ]
    )
    work.session.commit()
    page = shown(operator)
    assert "SO-26-10482/1" in page
    assert "TIMEOUT" in page
    assert "ListStock" not in page
    assert "ListStock" in shown(operator, "/erp?only=all")
    assert "ListStock" in shown(operator, "/erp?q=quiet")


def test_an_exchange_is_opened_and_harmless(work, operator):
    row = envelope(work, request="<a><b>1</b><script>x</script></a>", reply="")
    work.session.add(row)
    work.session.commit()
    text = shown(operator, f"/erp/exchanges/{row.id}")
    assert "&lt;b&gt;1&lt;/b&gt;" in text
    assert "<script>" not in text
    assert "Not kept" in text
    assert operator.get("/erp/exchanges/999999").status_code == 404


def test_a_run_has_its_page(work, operator):
    feed = make_feed(work, outcomes=(RunOutcome.COMPLETE, RunOutcome.FAILED))
    runs = work.session.query(SyncRun).filter_by(feed_id=feed.id).order_by(SyncRun.id).all()
    work.session.commit()
    page = shown(operator, f"/erp/runs/{runs[1].id}")
    assert "401 token expired" in page
    assert f"/erp/runs/{runs[0].id}" in page
    assert operator.get("/erp/runs/999999").status_code == 404


def test_the_number_of_statements_does_not_grow(work, operator, statements):
    make_feed(work)
    work.session.commit()
    shown(operator)
    counted = []
    for entity in ("item", "bom", "price", "invoice"):
        with statements() as seen:
            shown(operator)
        counted.append(len(seen))
        make_feed(work, entity, outcomes=[RunOutcome.COMPLETE] * 30)
        make_delivery(work)
    assert len(set(counted)) == 1
    assert counted[0] <= MOST + NO_COMPANY


def test_the_version_is_asked_for_as_an_etag(work, operator):
    first = operator.get("/erp/version")
    same = operator.get("/erp/version", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, same.status_code) == (200, 304)


def test_with_several_erps_each_line_of_the_monitor_names_its_own(work, operator):
    work.session.add_all(
        [
            ErpConnection(code="main", writes=Writes.ON),
            ErpConnection(code="suzhou", writes=Writes.OFF),
            envelope(work, "SO-26-10500/0", connection_code="suzhou"),
        ]
    )
    make_feed(work)
    order = make_order(work, erp_connection="suzhou", erp_sync=ErpSync.WAITING)
    make_delivery(
        work,
        stream=f"order:{order.id}",
        target="suzhou",
        state=DeliveryState.PARKED,
        code=WRITES_OFF,
        reason=Message("Writing to this ERP is switched off."),
    )
    work.session.commit()
    page = shown(operator)
    assert page.count('<span class="under">suzhou</span>') == 3  # dead letter, outbox, exchange
    assert "suzhou: Nothing is sent." in page
    assert "main: Nothing is sent." not in page
    assert "Connection suzhou" in operator.get(f"/orders/{order.no}").get_data(as_text=True)


def test_live_pages_carry_the_version_that_they_show(operator, office):
    with office.open() as work:
        work.bump("erp")
        work.bump("board")
    for page, version in (("/erp", "/erp/version"), ("/fulfillment", "/fulfillment/version")):
        now = operator.get(version).text
        assert int(now) > 0
        assert f'data-live-version="{now}"' in operator.get(page).text
