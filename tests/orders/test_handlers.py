"""The push to the ERP: once, whatever happens between the two sides."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.orders import actions
from b2bcrm.orders.intake import apply_sales_orders
from b2bcrm.orders.lifecycle import ErpSync
from connectors.erp.twin.faults import Fault
from tests.factories import D
from tests.orders.pushing import (
    CLERK,
    OtherErp,
    change_there,
    courier_over,
    due_again,
    in_erp,
    order,
    pull_order,
    renumber,
    with_lines,
)

pytestmark = pytest.mark.db


def test_a_confirmed_order_is_in_the_erp_with_the_same_lines(office, twin, courier, order_id):
    assert order(office, order_id).erp_sync is ErpSync.WAITING
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_reason is None, ours.erp_reason
    (theirs,) = in_erp(twin, ours.no)
    assert (ours.erp_sync, ours.erp_no) == (ErpSync.ACCEPTED, theirs.erp_id)
    assert theirs.reference == f"{ours.no}/0"
    assert [(ln.line_no, ln.qty) for ln in theirs.lines] == [(10, D(5))]


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER_COMMIT, Fault.HTML_200])
def test_a_lost_answer_is_looked_up_before_anything_is_sent_again(
    office, twin, courier, order_id, fault
):
    twin.faults["CreateSalesOrder"] = fault
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_sync is ErpSync.UNKNOWN
    assert ours.erp_since is not None
    due_again(office)
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_sync is ErpSync.ACCEPTED
    assert len(in_erp(twin, ours.no)) == 1


def test_an_erp_that_is_down_leaves_the_order_waiting_since_then(office, twin, courier, order_id):
    since = order(office, order_id).erp_since
    twin.faults["CreateSalesOrder"] = Fault.DOWN_503
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_sync in {ErpSync.WAITING, ErpSync.UNKNOWN}
    assert ours.erp_since == since
    assert in_erp(twin, ours.no) == []


def test_a_refusal_is_on_the_order_with_the_erps_reason(office, twin, courier, order_id):
    with office.open() as work:
        renumber(work, order_id, "NOBODY")
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_sync is ErpSync.REFUSED
    assert "NOBODY" in str(ours.erp_reason)
    with office.open(read_only=True) as work:
        assert work.session.scalar(sa.select(Delivery.state)) is DeliveryState.PARKED


def test_an_order_cancelled_after_a_refusal_is_never_entered_in_the_erp(
    office, twin, courier, order_id, promises
):
    with office.open() as work:
        known = renumber(work, order_id, "NOBODY")
    courier.deliver_one()
    assert order(office, order_id).erp_sync is ErpSync.REFUSED
    with office.open(CLERK) as work:
        renumber(work, order_id, known)
        actions.cancel(work, order_id, expected_version=None, reason="stopped", promises=promises)
    while courier.deliver_one():
        pass
    ours = order(office, order_id)
    assert in_erp(twin, ours.no) == []
    assert (ours.erp_sync, ours.erp_no) == (ErpSync.NONE, None)
    with office.open(read_only=True) as work:
        assert set(work.session.scalars(sa.select(Delivery.state))) == {DeliveryState.DONE}


def test_an_order_cancelled_while_the_answer_was_lost_is_cancelled_in_the_erp_too(
    office, twin, courier, order_id, promises
):
    twin.faults["CreateSalesOrder"] = Fault.TIMEOUT_AFTER_COMMIT
    courier.deliver_one()
    with office.open(CLERK) as work:
        actions.cancel(work, order_id, expected_version=None, reason="stopped", promises=promises)
    due_again(office)
    while courier.deliver_one():
        pass
    assert [o.status for o in in_erp(twin, order(office, order_id).no)] == ["cancelled"]


def test_an_amendment_changes_the_same_order_in_the_erp(office, twin, courier, order_id, promises):
    courier.deliver_one()
    with office.open(CLERK) as work:
        actions.amend_line(work, order_id, 10, expected_version=None, promises=promises, qty=D(7))
    courier.deliver_one()
    ours = order(office, order_id)
    (theirs,) = in_erp(twin, ours.no)
    assert (theirs.reference, theirs.lines[0].qty) == (f"{ours.no}/1", D(7))


def test_the_order_waits_as_long_as_a_later_amendment_waits(
    office, twin, courier, order_id, promises
):
    with office.open(CLERK) as work:
        actions.amend_line(work, order_id, 10, expected_version=None, promises=promises, qty=D(7))
    courier.deliver_one()
    ours = order(office, order_id)
    assert (ours.erp_sync, ours.erp_no) == (ErpSync.WAITING, in_erp(twin, ours.no)[0].erp_id)
    courier.deliver_one()
    assert order(office, order_id).erp_sync is ErpSync.ACCEPTED


def test_an_order_found_in_the_erp_still_waits_for_its_later_amendment(
    office, twin, courier, order_id, promises
):
    twin.faults["CreateSalesOrder"] = Fault.TIMEOUT_AFTER_COMMIT
    courier.deliver_one()
    with office.open(CLERK) as work:
        actions.amend_line(work, order_id, 10, expected_version=None, promises=promises, qty=D(7))
    found = in_erp(twin, order(office, order_id).no)
    with office.open() as work:
        apply_sales_orders(work, found, promises=promises)
    ours = order(office, order_id)
    assert (ours.erp_sync, ours.erp_no) == (ErpSync.WAITING, found[0].erp_id)


@pytest.mark.parametrize("lost", [False, True])
def test_a_cancellation_reaches_the_erp_even_if_its_first_answer_is_lost(
    office, twin, courier, order_id, promises, lost
):
    courier.deliver_one()
    with office.open(CLERK) as work:
        actions.cancel(work, order_id, expected_version=None, reason="stopped", promises=promises)
    if lost:
        twin.faults["CancelSalesOrder"] = Fault.TIMEOUT_AFTER_COMMIT
        courier.deliver_one()
        due_again(office)
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_sync is ErpSync.ACCEPTED
    assert [o.status for o in in_erp(twin, ours.no)] == ["cancelled"]


@pytest.mark.parametrize("fault", [Fault.FALSE_SUCCESS, Fault.MISSING_ELEMENT])
def test_the_erps_word_alone_is_not_believed(office, twin, courier, order_id, fault):
    twin.faults["CreateSalesOrder"] = fault
    courier.deliver_one()
    assert order(office, order_id).erp_sync is ErpSync.UNKNOWN
    due_again(office)
    courier.deliver_one()
    ours = order(office, order_id)
    (theirs,) = in_erp(twin, ours.no)
    assert (ours.erp_sync, ours.erp_no) == (ErpSync.ACCEPTED, theirs.erp_id)


def test_what_cannot_be_read_back_is_looked_up_again(office, twin, courier, order_id):
    twin.faults["GetSalesOrder"] = Fault.HTML_502
    courier.deliver_one()
    assert order(office, order_id).erp_sync is ErpSync.UNKNOWN
    due_again(office)
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_sync is ErpSync.ACCEPTED
    assert len(in_erp(twin, ours.no)) == 1


def test_an_amendment_sends_anew_what_was_refused_before(office, twin, courier, order_id, promises):
    twin.faults["CreateSalesOrder"] = Fault.SESSION_EXPIRED
    courier.deliver_one()
    assert order(office, order_id).erp_sync is ErpSync.REFUSED
    with office.open(CLERK) as work:
        actions.amend_line(work, order_id, 10, expected_version=None, promises=promises, qty=D(4))
        assert set(work.session.scalars(sa.select(Delivery.state))) == {DeliveryState.WAITING}


def test_what_we_sent_ourselves_is_never_taken_for_a_change_in_the_erp(
    office, twin, courier, order_id, promises
):
    def amend(qty):
        with office.open(CLERK) as work:
            actions.amend_line(
                work, order_id, 10, expected_version=None, promises=promises, qty=D(qty)
            )

    amend(4)  # the first push goes out as 5's amendment 0, and carries 4 already
    twin.faults["CreateSalesOrder"] = Fault.TIMEOUT_AFTER_COMMIT
    courier.deliver_one()
    amend(3)
    for _ in range(4):
        due_again(office)
        courier.deliver_one()
    ours = order(office, order_id)
    (theirs,) = in_erp(twin, ours.no)
    assert ours.erp_sync is ErpSync.ACCEPTED, ours.erp_reason
    assert [ln.qty for ln in theirs.lines] == [D(3)]


def test_a_look_of_ours_does_not_undo_what_a_pull_has_brought_since(
    office, twin, courier, promises, order_id
):
    class PulledMeanwhile(OtherErp):
        def get(self, entity, erp_id):
            ours = self.gateway.get(entity, erp_id)
            change_there(twin, erp_id, lines={10: {"qty": D(7)}})
            pull_order(office, twin, erp_id, promises)
            return ours

    courier_over(office, PulledMeanwhile(twin.gateway)).deliver_one()
    ours, differences = with_lines(office, order_id)
    assert ours.erp_sync is ErpSync.ACCEPTED
    assert [(row.field, row.ours, row.theirs) for row in differences] == [("10.qty", "5", "7")]
