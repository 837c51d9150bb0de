"""Orders as the ERP shows them: linked, taken over, or parked; never doubled."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.orders import queries
from b2bcrm.orders.intake import apply_sales_orders
from b2bcrm.orders.lifecycle import ErpSync, OrderState
from b2bcrm.orders.models import OrderLine, Origin
from b2bcrm.ports.erp import Entity
from tests.pulled import everything, found_company, pull_masters

pytestmark = pytest.mark.db


@pytest.fixture
def records(work, twin):
    pull_masters(work, twin.gateway)
    return everything(twin.gateway, Entity.SALES_ORDER)


def apply(work, records, promises):
    applied = apply_sales_orders(work, records, promises=promises)
    work.session.flush()
    return applied


def stored(work, record):
    return queries.by_erp_nos(work.session, "main", [record.erp_id])[0][record.erp_id]


def an_open(records):
    return next(r for r in records if r.status == "open" and not r.reference)


def test_every_order_of_the_erp_becomes_an_order_like_any_other(work, records, promises):
    applied = apply(work, records, promises)
    assert (applied.changed, applied.parked) == (len(records), ())
    lines = work.session.scalar(sa.select(sa.func.count(OrderLine.id)))
    assert lines == sum(len(r.lines) for r in records)
    order = stored(work, an_open(records))
    assert (order.origin, order.erp_sync) == (Origin.ERP, ErpSync.ACCEPTED)
    assert {kind for _ids, kind in promises.recorded} == {"erp_first_seen"}


def test_seen_again_nothing_changes(work, records, promises):
    apply(work, records, promises)
    assert apply(work, records, promises).changed == 0


def test_the_first_promise_is_the_date_first_seen_and_is_never_pushed_back(work, records, promises):
    record = an_open(records)
    apply(work, [record], promises)
    later = record.lines[0].promised_on.replace(year=2027)
    line = dataclasses.replace(record.lines[0], promised_on=later, planned_on=later)
    moved = dataclasses.replace(record, lines=(line, *record.lines[1:]), version="next")
    apply(work, [moved], promises)
    kept = stored(work, record).lines[0]
    assert kept.first_promised_on == kept.promised_on == record.lines[0].promised_on
    assert kept.planned_on == later


def test_an_order_whose_parent_is_unknown_is_parked_with_the_reason(work, twin, promises):
    found_company(work)
    record = everything(twin.gateway, Entity.SALES_ORDER)[0]
    applied = apply(work, [record], promises)
    assert applied.changed == 0
    assert str(applied.parked[0][1]) == f"Customer {record.customer} is not known yet."


def test_our_own_reference_links_the_order_whose_answer_was_lost(work, records, promises):
    record = next(r for r in records if r.reference and r.status == "open")
    apply(work, [record], promises)
    order = stored(work, record)
    assert order.no == record.reference.split("/")[0]
    order.erp_no, order.erp_sync = None, ErpSync.UNKNOWN
    work.session.flush()
    apply(work, [record], promises)
    assert (order.erp_no, order.erp_sync) == (record.erp_id, ErpSync.ACCEPTED)


def test_a_quantity_changed_in_the_erp_is_said_but_ours_stays(work, records, promises):
    record = next(r for r in records if r.reference and r.status == "open")
    apply(work, [record], promises)
    order = stored(work, record)
    order.origin = Origin.QUOTE
    line = dataclasses.replace(record.lines[0], qty=record.lines[0].qty + Decimal(1))
    changed = dataclasses.replace(record, lines=(line, *record.lines[1:]), version="next")
    apply(work, [changed], promises)
    assert order.lines[0].ordered_qty == record.lines[0].qty
    names = list(work.session.scalars(sa.select(TimelineEntry.name)))
    assert names.count("order.erp_changed") == 1
    apply(work, [changed], promises)
    work.session.flush()
    names = list(work.session.scalars(sa.select(TimelineEntry.name)))
    assert names.count("order.erp_changed") == 1


def test_a_second_erp_order_under_our_number_is_parked_and_the_first_link_stays(
    work, records, promises
):
    record = next(r for r in records if r.reference and r.status == "open")
    double = dataclasses.replace(record, erp_id=f"{record.erp_id}-2")
    applied = apply(work, [record, double], promises)
    order = stored(work, record)
    assert [erp_id for erp_id, _reason in applied.parked] == [double.erp_id]
    assert str(applied.parked[0][1]) == (
        f"The ERP has our order {order.no} twice: {record.erp_id} and {double.erp_id}."
    )
    assert apply(work, [double], promises).parked
    assert order.erp_no == record.erp_id


def test_lines_added_or_cancelled_in_an_erp_order_are_taken_over(work, records, promises):
    record = an_open(records)
    apply(work, [record], promises)
    order = stored(work, record)
    first = dataclasses.replace(record.lines[0], status="cancelled")
    added = dataclasses.replace(record.lines[0], line_no=990)
    changed = dataclasses.replace(record, lines=(first, *record.lines[1:], added), version="next")
    promises.recorded.clear()
    assert apply(work, [changed], promises).changed == 1
    assert order.line(first.line_no).cancelled
    assert order.line(990).first_promised_on == added.promised_on
    assert promises.recorded == [((order.id,), "erp_first_seen")]
    assert order.total == sum(ln.net for ln in order.lines if not ln.cancelled)
    assert apply(work, [changed], promises).changed == 0


def test_an_erp_order_follows_the_erp_to_its_cancellation(work, records, promises):
    record = an_open(records)
    apply(work, [record], promises)
    apply(work, [dataclasses.replace(record, status="cancelled", version="x")], promises)
    assert stored(work, record).state is OrderState.CANCELLED
