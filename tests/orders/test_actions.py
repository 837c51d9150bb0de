"""What each act does to an order, and what it refuses."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Refused, StaleVersion
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.orders import actions, queries
from b2bcrm.orders.actions import LineQuantities
from b2bcrm.orders.lifecycle import ErpSync, OrderState
from b2bcrm.orders.models import OrderRevision
from b2bcrm.ports.promise import DateMoved
from tests.factories import buyer, make_account, make_line, make_order, staff

pytestmark = pytest.mark.db
D = Decimal


def submitted(work, **facts):
    values = {"state": OrderState.SUBMITTED, "erp_no": None, "erp_sync": ErpSync.NONE}
    return make_order(work, lines=[make_line(work, first_promised_on=None)], **(values | facts))


def deliveries(work):
    return list(work.session.scalars(sa.select(Delivery.handler).order_by(Delivery.id)))


class TestConfirm:
    def test_it_freezes_the_first_promise_seals_a_revision_and_tells_the_erp(self, work, promises):
        order = submitted(work)
        actions.confirm(work, order.id, expected_version=order.version, promises=promises)
        assert order.state is OrderState.CONFIRMED
        assert order.lines[0].first_promised_on == dt.date(2026, 12, 15)
        assert order.erp_sync is ErpSync.WAITING
        assert "erp.push_order" in deliveries(work)
        assert promises.recorded == [((order.id,), "first")]
        revision = work.session.scalars(sa.select(OrderRevision)).one()
        assert (revision.amendment_no, len(revision.digest)) == (0, 64)

    def test_a_later_promise_never_changes_the_first_one(self, work, promises):
        order = make_order(work, state=OrderState.SUBMITTED)
        order.lines[0].promised_on = dt.date(2026, 12, 20)
        actions.confirm(work, order.id, expected_version=None, promises=promises)
        assert order.lines[0].first_promised_on == dt.date(2026, 12, 15)

    @pytest.mark.parametrize(
        ("account", "order", "sentence"),
        [
            ({"erp_id": None}, {}, "no ERP number"),
            ({"credit_hold": True}, {}, "credit is blocked"),
            ({}, {"hold_reason": "drawing missing"}, "on hold"),
        ],
    )
    def test_what_speaks_against_it_is_said_and_the_rule_does_not_confirm(
        self, work, promises, account, order, sentence
    ):
        found = submitted(work, account=make_account(work, **account), **order)
        assert not actions.confirm_by_rule(work, found, promises=promises)
        with pytest.raises(Refused, match=sentence):
            actions.confirm(work, found.id, expected_version=None, promises=promises)

    def test_a_stale_form_hears_who_changed_it_and_when(self, work, promises):
        order = submitted(work)
        version = order.version
        actions.link_customer_po(work, order.id, expected_version=version, customer_po="4500-1")
        work.session.flush()
        with pytest.raises(StaleVersion, match="Grace Wu changed this order at"):
            actions.confirm(work, order.id, expected_version=version, promises=promises)

    def test_a_buyer_may_not(self, office, work, promises):
        order = submitted(work)
        work.actor = buyer(make_account(work))
        with pytest.raises(NotAllowed):
            actions.confirm(work, order.id, expected_version=None, promises=promises)


class TestAmend:
    def test_a_confirmed_order_gets_a_numbered_amendment_that_goes_to_the_erp(self, work, promises):
        order = make_order(work)
        actions.amend_line(work, order.id, 10, expected_version=None, promises=promises, qty=D(12))
        assert (order.reference, order.total) == (f"{order.no}/1", D(240))
        assert order.erp_sync is ErpSync.WAITING
        sentence = work.session.scalar(sa.select(TimelineEntry.sentence))
        assert str(sentence) == "Amendment 1: line 10 quantity 10 to 12"

    def test_added_pieces_are_reserved_by_the_date_that_was_promised(self, work, promises):
        order = make_order(work)
        actions.amend_line(work, order.id, 10, expected_version=None, promises=promises, qty=D(12))
        assert [(line.qty, line.wanted_on) for line in promises.asked] == [
            (D(2), dt.date(2026, 12, 15))
        ]
        assert order.lines[0].promised_on == dt.date(2026, 12, 15)

    @pytest.mark.parametrize("shown_on", [None, dt.date(2027, 1, 7)])
    def test_pieces_that_come_later_than_was_shown_change_nothing_and_say_the_date(
        self, work, promises, shown_on
    ):
        order = make_order(work)
        promises.full_on = dt.date(2027, 1, 8)
        with pytest.raises(DateMoved, match=r"has moved from .* to Fri 8 Jan 2027") as moved:
            actions.amend_line(
                work,
                order.id,
                10,
                expected_version=None,
                promises=promises,
                qty=D(12),
                promised_on=shown_on,
            )
        assert (moved.value.code, moved.value.facts) == (
            "date_moved",
            {"promised_on": "2027-01-08"},
        )

    def test_a_later_date_that_was_shown_moves_the_promise(self, work, promises):
        order = make_order(work)
        promises.full_on = dt.date(2027, 1, 8)
        actions.amend_line(
            work,
            order.id,
            10,
            expected_version=None,
            promises=promises,
            qty=D(12),
            promised_on=dt.date(2027, 1, 8),
        )
        line = order.lines[0]
        assert line.promised_on == dt.date(2027, 1, 8)
        assert line.first_promised_on == dt.date(2026, 12, 15)
        sentence = work.session.scalar(sa.select(TimelineEntry.sentence))
        assert str(sentence) == (
            "Amendment 1: line 10 quantity 10 to 12, line 10 promised for Fri 8 Jan 2027"
        )

    def test_fewer_pieces_keep_their_promise_unasked_and_give_back_the_rest(self, work, promises):
        order = make_order(work)
        actions.amend_line(work, order.id, 10, expected_version=None, promises=promises, qty=D(8))
        assert promises.asked == []
        assert promises.given_back == [(order.no, "10", D(2))]
        assert order.lines[0].promised_on == dt.date(2026, 12, 15)

    def test_an_order_not_yet_confirmed_is_just_changed(self, work, promises):
        order = submitted(work)
        actions.amend_line(work, order.id, 10, expected_version=None, promises=promises, qty=D(3))
        assert (order.amendment_no, order.lines[0].ordered_qty) == (0, D(3))
        assert deliveries(work) == []

    def test_nothing_below_what_has_shipped(self, work, promises):
        line = make_line(work, shipped_qty=D(8))
        order = make_order(work, lines=[line])
        with pytest.raises(Invalid, match="8 have already shipped"):
            actions.amend_line(
                work, order.id, 10, expected_version=None, promises=promises, qty=D(7)
            )

    def test_nothing_changed_is_said(self, work, promises):
        order = make_order(work)
        with pytest.raises(Invalid, match="Nothing was changed"):
            actions.amend_line(
                work, order.id, 10, expected_version=None, promises=promises, qty=D(10)
            )

    def test_a_closed_order_is_not_amended(self, work, promises):
        order = make_order(work, state=OrderState.CLOSED)
        with pytest.raises(Conflict, match="An order that is closed"):
            actions.amend_line(
                work, order.id, 10, expected_version=None, promises=promises, qty=D(9)
            )


class TestRepromise:
    def test_a_moved_promise_is_an_amendment_for_the_erp_and_leaves_the_first_promise(self, work):
        order = make_order(work)
        version = order.version
        later = dt.date(2026, 12, 22)
        actions.repromise(work, order.id, 10, expected_version=version, promised_on=later)
        work.session.flush()
        line = order.lines[0]
        assert (line.promised_on, line.first_promised_on) == (later, dt.date(2026, 12, 15))
        assert (order.amendment_no, order.version > version) == (1, True)
        assert deliveries(work) == ["erp.push_order"]

    def test_only_a_confirmed_order_has_a_promise_to_move(self, work):
        order = submitted(work)
        with pytest.raises(Conflict, match="Only a confirmed order"):
            actions.repromise(
                work, order.id, 10, expected_version=None, promised_on=dt.date(2026, 12, 22)
            )


class TestHold:
    def test_a_hold_is_no_state_and_releasing_returns_to_where_it_was(self, work):
        order = submitted(work)
        actions.hold(work, order.id, expected_version=None, reason=" drawing ")
        assert (order.state, order.hold_reason) == (OrderState.SUBMITTED, "drawing")
        actions.release(work, order.id, expected_version=None)
        assert (order.state, order.hold_reason) == (OrderState.SUBMITTED, None)

    def test_a_hold_needs_a_reason(self, work):
        with pytest.raises(Invalid, match="Say why"):
            actions.hold(work, make_order(work).id, expected_version=None, reason="  ")


class TestCancel:
    def test_what_the_erp_knows_is_cancelled_there_too(self, work, promises):
        order = make_order(work)
        actions.cancel(
            work, order.id, expected_version=None, reason="project stopped", promises=promises
        )
        assert (order.state, order.amendment_no) == (OrderState.CANCELLED, 1)
        assert deliveries(work) == ["erp.push_order"]
        assert promises.released == [order.no]

    def test_not_once_something_has_shipped(self, work, promises):
        order = make_order(work, lines=[make_line(work, shipped_qty=D(1))])
        with pytest.raises(Refused, match="already shipped"):
            actions.cancel(work, order.id, expected_version=None, reason="x", promises=promises)


class TestQuantities:
    def test_a_partial_delivery_leaves_the_exact_remainder_and_the_order_open(self, work):
        order = make_order(work)
        changes = [
            LineQuantities(order_line_id=order.lines[0].id, shipped_qty=D(4), delivered_qty=D(4))
        ]
        assert actions.record_quantities(work, changes) == {order.id}
        assert order.state is OrderState.CONFIRMED
        assert actions.record_quantities(work, changes) == set()

    def test_the_last_piece_closes_the_order(self, work):
        order = make_order(work)
        actions.record_quantities(
            work,
            [
                LineQuantities(
                    order_line_id=order.lines[0].id, shipped_qty=D(10), delivered_qty=D(10)
                )
            ],
        )
        assert order.state is OrderState.CLOSED
        names = set(work.session.scalars(sa.select(TimelineEntry.name)))
        assert names == {"order.line_shipped", "order.closed"}


class TestWhoSeesIt:
    def test_another_accounts_order_is_not_found(self, work):
        order, other = make_order(work), make_account(work)
        work.actor = buyer(other)
        with pytest.raises(NotFound, match="This order was not found"):
            queries.by_no(work, order.no)
        with pytest.raises(NotFound):
            queries.line_by_id(work, order.lines[0].id)

    def test_a_buyer_sees_his_own_but_no_drafts(self, work):
        account = make_account(work)
        order = make_order(work, account)
        draft = make_order(work, account, state=OrderState.DRAFT)
        work.actor = buyer(account)
        assert queries.by_no(work, order.no) is order
        with pytest.raises(NotFound):
            queries.by_no(work, draft.no)

    def test_roles_without_the_right_may_not_act(self, work, promises):
        order = make_order(work)
        work.actor = staff(Role.QUALITY)
        with pytest.raises(NotAllowed):
            actions.cancel(work, order.id, expected_version=None, reason="x", promises=promises)
