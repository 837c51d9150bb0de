"""A push that the ERP refused: people see why and where, put it right, and it goes once."""

from __future__ import annotations

import pytest

from b2bcrm.customers.models import Account
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Invalid, NotAllowed, NotFound, Refused
from b2bcrm.orders import actions, queries
from b2bcrm.orders.lifecycle import ErpSync
from b2bcrm.orders.models import Order
from b2bcrm.ports.erp import Entity
from tests.factories import D, buyer, staff
from tests.orders.pushing import CLERK, change_there, in_erp, order, pull_order, with_lines

pytestmark = pytest.mark.db


@pytest.fixture
def refused(office, twin, courier, order_id):
    """An order whose payment terms the ERP does not know."""
    with office.open() as work:
        work.session.get_one(Order, order_id).payment_terms = "30 days"
    courier.deliver_one()
    assert order(office, order_id).erp_sync is ErpSync.REFUSED
    return order_id


def correct(office, order_id, **changes):
    with office.open(CLERK) as work:
        actions.correct(work, order_id, expected_version=None, changes=changes)


def test_a_refused_push_says_why_and_which_field_the_erp_named(office, refused):
    with office.open(CLERK) as work:
        (row,) = queries.stuck(work)
    assert "30 days" in str(row.reason)
    assert (row.code, row.reference[-2:]) == ("erp_refused", "/0")
    assert [(issue["code"], issue["field"]) for issue in row.issues] == [
        ("unknown_terms", "payment_terms")
    ]


def test_put_right_it_goes_under_the_same_reference_and_once(office, twin, courier, refused):
    correct(office, refused, payment_terms="NET30")
    assert order(office, refused).erp_sync is ErpSync.WAITING
    while courier.deliver_one():
        pass
    ours = order(office, refused)
    (theirs,) = in_erp(twin, ours.no)
    assert (theirs.reference, theirs.payment_terms) == (f"{ours.no}/0", "NET30")
    assert (ours.erp_sync, ours.amendment_no) == (ErpSync.ACCEPTED, 1)
    with office.open(CLERK) as work:
        assert queries.stuck(work) == []
        sealed = queries.revisions(work.session, refused)[0]
    assert (sealed.amendment_no, sealed.snapshot["payment_terms"]) == (1, "NET30")
    assert with_lines(office, refused)[1] == []


def test_after_a_correction_the_next_amendment_changes_the_same_order(
    office, twin, courier, refused, promises
):
    correct(office, refused, payment_terms="NET30")
    courier.deliver_one()
    with office.open(CLERK) as work:
        actions.amend_line(work, refused, 10, expected_version=None, promises=promises, qty=D(7))
    courier.deliver_one()
    ours = order(office, refused)
    (theirs,) = in_erp(twin, ours.no)
    assert (theirs.reference, theirs.lines[0].qty) == (f"{ours.no}/2", D(7))
    assert ours.erp_sync is ErpSync.ACCEPTED


def test_only_what_was_refused_is_corrected_and_only_to_what_exists(office, courier, refused):
    with pytest.raises(Invalid):
        correct(office, refused, ship_to="NOWHERE")
    with pytest.raises(Invalid):
        correct(office, refused, payment_terms="30 days")
    with office.open(staff(Role.ERP_ADMIN)) as work, pytest.raises(NotAllowed):
        actions.correct(work, refused, expected_version=None, changes={"incoterm": "DAP"})
    correct(office, refused, payment_terms="NET30")
    courier.deliver_one()
    with pytest.raises(Refused):
        correct(office, refused, payment_terms="NET60")


def test_a_customer_sees_neither_stuck_pushes_nor_differences(
    office, twin, courier, order_id, promises
):
    courier.deliver_one()
    erp_no = order(office, order_id).erp_no
    change_there(twin, erp_no, lines={10: {"qty": D(6)}})
    pull_order(office, twin, erp_no, promises)
    with office.open(CLERK) as work:
        rows, total = queries.differences(work)
        assert (total, rows[0][0]) == (1, order(office, order_id).no)
        account = work.session.get_one(Account, work.session.get_one(Order, order_id).account_id)
    assert twin.gateway.get(Entity.SALES_ORDER, erp_no).lines[0].qty == D(6)
    with office.open(buyer(account)) as work:
        assert queries.by_id(work, order_id).lines[0].ordered_qty == D(5)
        with pytest.raises(NotFound):
            queries.differences(work)
        with pytest.raises(NotFound):
            queries.stuck(work)
