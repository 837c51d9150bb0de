"""The ERP's documents become our copy: once, exactly, and with what is touched computed anew."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.fulfillment import intake
from b2bcrm.fulfillment.actions import confirm_receipt, project
from b2bcrm.fulfillment.models import (
    Invoice,
    LineProjection,
    Operation,
    OrderProjection,
    PurchaseLine,
    Shipment,
    ShipmentLine,
    Stock,
    WorkOrder,
)
from b2bcrm.kernel.actor import SYSTEM
from b2bcrm.kernel.errors import Conflict, NotAllowed, NotFound
from b2bcrm.kernel.timeline import history
from b2bcrm.orders.lifecycle import OrderState, Stage
from b2bcrm.ports import erp
from b2bcrm.sync.appliers import Applied
from b2bcrm.sync.models import Feed
from tests.conftest import NOW
from tests.factories import buyer, make_account, make_item, make_line, make_order, staff
from tests.fulfillment.conftest import day

D = Decimal


@pytest.fixture
def account(work):
    return make_account(work)


@pytest.fixture
def order(work, account):
    item = make_item(work, no="SW-25")
    return make_order(work, account, incoterm="DAP", lines=[make_line(work, item)])


def level(item="SW-25", on_hand=10, allocated=0, **facts):
    return erp.StockLevel(
        erp_id=f"{item}@TC",
        item=item,
        site="TC",
        on_hand=D(on_hand),
        allocated=D(allocated),
        as_of=NOW,
        **facts,
    )


def purchase(due="11-20", lines=1, **facts):
    return erp.PurchaseOrder(
        erp_id="PO-1",
        supplier="V1",
        supplier_name="Tai-Hung",
        site="TC",
        ordered_on=day("11-02"),
        status="open",
        lines=tuple(
            erp.PurchaseOrderLine(
                line_no=n,
                item="RB-25",
                qty=D(60),
                received_qty=D(0),
                requested_on=day("11-20"),
                first_confirmed_on=day("11-20"),
                confirmed_on=day(due),
                received_on=None,
                demand_ref="WO-1",
            )
            for n in range(1, lines + 1)
        ),
        **facts,
    )


def work_order(order, no="WO-2", ref=None, done=0, steps=2, **facts):
    values = {
        "item": "SW-25",
        "site": "TC",
        "qty": D(10),
        "completed_qty": D(done),
        "scrapped_qty": D(0),
        "status": "running",
        "planned_start_on": day("11-09"),
        "planned_end_on": day("11-27"),
        "first_planned_end_on": day("11-27"),
        "actual_start_on": day("11-09"),
        "actual_end_on": None,
        "demand_ref": ref or f"{order.erp_no}/10",
    }
    operations = tuple(
        erp.Operation(
            step_no=10 * n,
            name="Grind",
            work_center="G3",
            station="grinding",
            status="running",
            qty_done=D(done),
            planned_start_on=day("11-09"),
            planned_end_on=day("11-27"),
        )
        for n in range(1, steps + 1)
    )
    return erp.WorkOrder(erp_id=no, operations=operations, **(values | facts))


def shipment(account, order, qty=4, no="DN-1", delivered=None, line_no=10):
    return erp.Shipment(
        erp_id=no,
        customer=account.erp_id,
        shipped_on=day("11-16"),
        delivered_on=day(delivered) if delivered else None,
        carrier="Dachser",
        tracking_no="205-3381",
        lines=(
            erp.ShipmentLine(
                sales_order=order.erp_no, order_line_no=line_no, item="SW-25", qty=D(qty)
            ),
        ),
    )


def invoice(account, order, open_amount=500):
    return erp.Invoice(
        erp_id="IV-1",
        customer=account.erp_id,
        sales_order=order.erp_no,
        shipment="DN-1",
        invoiced_on=day("11-16"),
        due_on=day("12-16"),
        currency="EUR",
        total=D(500),
        open_amount=D(open_amount),
    )


def test_stock_is_kept_once_and_counts_only_real_changes(work):
    assert intake.apply_stock(work, [level()]).changed == 1
    assert intake.apply_stock(work, [level()]).changed == 0
    assert intake.apply_stock(work, [level(on_hand=9)]).changed == 1
    assert work.session.scalars(sa.select(Stock.on_hand)).all() == [9]


def test_stock_that_the_erp_dropped_is_none(work):
    intake.apply_stock(work, [level()])
    intake.apply_stock(work, [level(deleted=True)])
    assert work.session.scalars(sa.select(Stock.on_hand)).all() == [0]


def test_a_purchase_line_that_the_erp_dropped_is_cancelled(work):
    assert intake.apply_purchase_orders(work, [purchase(lines=2)]).changed == 2
    assert intake.apply_purchase_orders(work, [purchase(lines=2)]).changed == 0
    assert intake.apply_purchase_orders(work, [purchase(lines=1)]).changed == 1
    query = sa.select(PurchaseLine.status).order_by(PurchaseLine.line_no)
    assert work.session.scalars(query).all() == ["open", "cancelled"]


def read_until(work, entity, text):
    """The last complete run of the feed was on that day, in the evening."""
    at = dt.datetime.combine(day(text), dt.time(12), dt.UTC)
    work.session.add(Feed(connection_code="main", entity=entity, data_as_of=at, next_at=work.tick))
    work.session.flush()


@pytest.mark.parametrize(
    ("last_read", "came", "shown"),
    [("11-16", "11-12", "11-16"), ("11-12", "11-12", None), (None, "11-12", None),
     ("11-16", "11-17", None)],
)  # fmt: skip
def test_how_long_the_erp_showed_open_what_had_come_is_kept(work, order, last_read, came, shown):
    """Today is 17 November. What we did not read in between, nobody can be blamed for."""
    intake.apply_purchase_orders(work, [purchase()])
    intake.apply_work_orders(work, [work_order(order)])
    if last_read:
        read_until(work, "purchase_order", last_read)
        read_until(work, "work_order", last_read)
    told = purchase()
    line = dataclasses.replace(told.lines[0], received_qty=D(60), received_on=day(came))
    ended = work_order(order, done=10, status="done", actual_end_on=day(came))
    for _ in range(2):
        intake.apply_purchase_orders(work, [dataclasses.replace(told, lines=(line,))])
        intake.apply_work_orders(work, [ended])
    for model in (PurchaseLine, WorkOrder):
        row = work.session.scalars(sa.select(model)).one()
        assert row.shown_open_on == (day(shown) if shown else None)


def test_a_work_order_comes_with_its_operations(work, order):
    assert intake.apply_work_orders(work, [work_order(order)]).changed == 1
    assert intake.apply_work_orders(work, [work_order(order)]).changed == 0
    assert intake.apply_work_orders(work, [work_order(order, steps=1)]).changed == 1
    assert work.session.scalar(sa.select(sa.func.count(WorkOrder.id))) == 1
    assert work.session.scalar(sa.select(sa.func.count(Operation.id))) == 1


def test_a_deep_purchase_that_slips_moves_the_order_above_it(work, order):
    tree = [
        work_order(
            order,
            status="planned",
            actual_start_on=None,
            planned_start_on=day("11-30"),
            planned_end_on=day("12-04"),
        ),
        work_order(
            order,
            "WO-1",
            "WO-2",
            item="FS-25",
            status="planned",
            actual_start_on=None,
            planned_start_on=day("11-23"),
            planned_end_on=day("11-27"),
        ),
    ]
    intake.apply_work_orders(work, tree)
    intake.apply_purchase_orders(work, [purchase()])
    before = work.session.get_one(LineProjection, order.lines[0].id).projected_on
    intake.apply_purchase_orders(work, [purchase(due="11-30")])
    after = work.session.get_one(LineProjection, order.lines[0].id).projected_on
    assert after > before


def test_partial_shipments_leave_exact_remainders(work, account, order):
    intake.apply_shipments(work, [shipment(account, order, 4)])
    line = order.lines[0]
    assert (line.shipped_qty, line.delivered_qty) == (4, 0)
    intake.apply_shipments(
        work,
        [shipment(account, order, 4, delivered="11-17"), shipment(account, order, 6, "DN-2")],
    )
    assert (line.shipped_qty, line.delivered_qty) == (10, 4)
    assert work.session.get_one(OrderProjection, order.id).stage is Stage.SHIPPING


def test_the_same_shipment_pulled_again_adds_nothing(work, account, order):
    first = intake.apply_shipments(work, [shipment(account, order)])
    again = intake.apply_shipments(work, [shipment(account, order)])
    assert (first.changed, again.changed) == (1, 0)
    assert order.lines[0].shipped_qty == 4


def test_a_shipment_of_an_unknown_line_is_parked_and_the_rest_applied(work, account, order):
    stranger = dataclasses.replace(
        order_like := shipment(account, order, no="DN-9"),
        lines=(dataclasses.replace(order_like.lines[0], order_line_no=99),),
    )
    applied = intake.apply_shipments(work, [stranger, shipment(account, order)])
    assert applied.changed == 1
    assert [erp_id for erp_id, _ in applied.parked] == ["DN-9"]
    assert order.lines[0].shipped_qty == 4


def test_an_order_delivered_in_full_is_closed_and_done(work, account, order):
    project(work, [order.id])
    intake.apply_shipments(work, [shipment(account, order, 10, delivered="11-17")])
    assert order.state is OrderState.CLOSED
    assert work.session.get_one(OrderProjection, order.id).open_value == 0


def test_an_invoice_counts_the_pieces_of_its_shipment(work, account, order):
    intake.apply_shipments(work, [shipment(account, order)])
    assert intake.apply_invoices(work, [invoice(account, order)]).changed == 1
    assert intake.apply_invoices(work, [invoice(account, order)]).changed == 0
    assert order.lines[0].invoiced_qty == 4
    intake.apply_invoices(work, [invoice(account, order, open_amount=0)])
    assert work.session.scalars(sa.select(Invoice.open_amount)).all() == [0]


def test_an_invoice_of_an_unknown_order_is_parked(work, account, order):
    strange = dataclasses.replace(invoice(account, order), sales_order="999")
    assert intake.apply_invoices(work, [strange]).parked[0][0] == "IV-1"


# ------------------------------------------------------------------------------ the receipt
@pytest.fixture
def sent(work, account, order):
    intake.apply_shipments(work, [shipment(account, order, 10)])
    return work.session.scalars(sa.select(Shipment)).one()


def test_a_buyer_confirms_what_reached_him_and_the_order_closes(work, account, order, sent):
    work.actor = buyer(account)
    confirm_receipt(work, sent.id)
    assert sent.received_by == "Jonas Kessler"
    assert order.lines[0].delivered_qty == 10
    assert order.state is OrderState.CLOSED
    with pytest.raises(Conflict):
        confirm_receipt(work, sent.id)


def test_a_confirmed_receipt_survives_the_carriers_silence(work, account, order, sent):
    work.actor = buyer(account)
    confirm_receipt(work, sent.id)
    intake.apply_shipments(work, [shipment(account, order, 10)])
    assert sent.delivered_on == dt.date(2026, 11, 17)
    assert order.lines[0].delivered_qty == 10


def test_another_accounts_shipment_does_not_exist(work, sent):
    work.actor = buyer(make_account(work))
    with pytest.raises(NotFound):
        confirm_receipt(work, sent.id)


def test_staff_do_not_confirm_receipts(work, sent):
    work.actor = staff()
    with pytest.raises(NotAllowed):
        confirm_receipt(work, sent.id)


def test_a_shipment_whose_lines_changed_is_kept_exactly(work, account, order):
    intake.apply_shipments(work, [shipment(account, order, 4)])
    intake.apply_shipments(work, [shipment(account, order, 3)])
    assert order.lines[0].shipped_qty == 3
    assert work.session.scalars(sa.select(ShipmentLine.qty)).all() == [3]


# ------------------------------------------------------------------------- taken back in the ERP
@pytest.mark.parametrize("names_nothing", [False, True])
def test_a_shipment_deleted_after_the_order_closed_opens_it_again_and_says_why(
    work, account, order, sent, names_nothing
):
    work.actor = buyer(account)
    confirm_receipt(work, sent.id)
    work.actor = SYSTEM
    gone = dataclasses.replace(shipment(account, order, 10), deleted=True)
    if names_nothing:
        gone = dataclasses.replace(gone, customer="", lines=())
    assert intake.apply_shipments(work, [gone]).changed == 1
    line = order.lines[0]
    assert (order.state, order.closed_at) == (OrderState.CONFIRMED, None)
    assert (line.shipped_qty, line.delivered_qty) == (0, 0)
    row = work.session.get_one(OrderProjection, order.id)
    assert (row.stage is Stage.DELIVERED, row.open_value > 0) == (False, True)
    told = [str(entry.sentence) for entry in history(work.session, order_id=order.id, limit=2)]
    assert told == [
        "Order open again: line 10 is not delivered in full",
        "Line 10: 10 pcs fewer shipped, corrected in the ERP",
    ]
    assert sent.received_by == "Jonas Kessler"
    assert intake.apply_shipments(work, [gone]) == Applied()


def test_a_reduced_shipment_opens_the_order_and_the_missing_piece_closes_it_again(
    work, account, order
):
    intake.apply_shipments(work, [shipment(account, order, 10, delivered="11-17")])
    intake.apply_shipments(work, [shipment(account, order, 9, delivered="11-17")])
    assert (order.state, order.lines[0].delivered_qty) == (OrderState.CONFIRMED, 9)
    intake.apply_shipments(work, [shipment(account, order, 1, "DN-2", delivered="11-17")])
    assert order.state is OrderState.CLOSED


def test_an_order_first_seen_closed_stays_so_while_its_shipments_come_in(work, account, order):
    order.state, order.closed_at = OrderState.CLOSED, work.now
    intake.apply_shipments(work, [shipment(account, order, 4, delivered="11-17")])
    intake.apply_shipments(work, [shipment(account, order, 6, "DN-2", delivered="11-17")])
    assert order.state is OrderState.CLOSED


def test_a_shipment_that_was_deleted_before_we_saw_it_is_nothing(work, account, order):
    gone = dataclasses.replace(shipment(account, order, 10), deleted=True)
    assert intake.apply_shipments(work, [gone]) == Applied()
    assert work.session.scalar(sa.select(sa.func.count(Shipment.id))) == 0
