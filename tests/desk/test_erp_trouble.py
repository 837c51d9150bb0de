"""The monitor in trouble: what a person is asked, what he sees marked, and what his answer does."""

from __future__ import annotations

import datetime as dt
import html

import pytest
import sqlalchemy as sa

from b2bcrm.desk.erp_facts import legible
from b2bcrm.kernel import outbox
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.orders.events import OrderCancelled
from b2bcrm.sync import connections
from b2bcrm.sync.certificates import CertificateResult
from b2bcrm.sync.conflicts import ErpConflict, Found
from b2bcrm.sync.models import (
    DriftNotice,
    DriftReport,
    ErpConnection,
    Feed,
    GuardState,
    GuardStop,
    ParkedRow,
    QuarantinedRow,
    RunKind,
    RunOutcome,
    SyncRun,
    Threat,
    Writes,
)
from b2bcrm.sync.ownership import Owner
from b2bcrm.sync.vault import Vault
from tests.clients import client_for, make_app
from tests.desk.test_erp import make_feed, shown
from tests.factories import make_account, make_line, make_order
from tests.sync.test_certificates import kept

pytestmark = pytest.mark.db


@pytest.fixture
def app(office, tmp_path):
    return make_app(office, tmp_path, vault=Vault.of("k" * 32, {}.get))


@pytest.fixture
def operator(app, office):
    return client_for(app, office, Role.ERP_ADMIN)


def add(work, row):
    work.session.add(row)
    work.session.commit()
    return row


def fresh(work, row):
    """The row as the application left it; no transaction stays open, it would hold the lock."""
    work.session.rollback()
    work.session.refresh(row)
    work.session.commit()
    return row


def make_connection(work, code="main", **facts):
    return add(work, ErpConnection(code=code, product="Formosa ERP", **facts))


class TestTheGuardAsks:
    @pytest.fixture
    def stop(self, work):
        feed = make_feed(work, "item")
        stop = GuardStop(feed_id=feed.id, threat=Threat.REMOVAL, count=60, known=100,
                         sample=["PG-1", "PG-2"], asked_at=work.tick)  # fmt: skip
        return add(work, stop)

    def test_what_a_run_would_do_is_shown_with_examples(self, operator, stop):
        page = shown(operator)
        assert "a run would remove 60 of 100 records" in page
        assert "PG-1, PG-2" in page

    def test_the_feed_is_not_called_healthy_meanwhile(self, work, operator, stop):
        run = SyncRun(feed_id=stop.feed_id, kind=RunKind.DELTA, outcome=RunOutcome.HELD,
                      started_at=work.tick, finished_at=work.tick)  # fmt: skip
        add(work, run)
        assert "Waits for a yes" in shown(operator)

    def test_a_yes_lets_it_pass_once_and_a_second_answer_comes_too_late(self, work, operator, stop):
        assert operator.send(f"/erp/questions/{stop.id}", answer="yes").status_code == 303
        assert fresh(work, stop).state is GuardState.APPROVED
        assert operator.send(f"/erp/questions/{stop.id}", answer="no").status_code == 409

    def test_a_no_pauses_the_feed(self, work, operator, stop):
        operator.send(f"/erp/questions/{stop.id}", answer="no")
        assert fresh(work, stop).state is GuardState.REFUSED
        assert work.session.get_one(Feed, stop.feed_id).paused


class TestOneFeed:
    def test_its_page_tells_runs_and_what_a_comparison_found(self, work, operator):
        feed = make_feed(work, "item")
        add(work, DriftReport(feed_id=feed.id, at=work.tick, whole=True, by_content=True,
                              erp_rows=80, our_rows=79, missing_here=1, missing_there=0,
                              differing=0, erp_total="a", our_total="b",
                              sample={"missing_here": ["PG-9"]}))  # fmt: skip
        page = shown(operator, f"/erp/feeds/{feed.id}")
        assert "PG-9" in page
        assert "whole records" in page

    def test_a_first_load_tells_how_far_it_is(self, work, operator):
        feed = make_feed(work, "item", load_started_at=work.tick - dt.timedelta(seconds=10),
                         load_rows=250, announced=1000)  # fmt: skip
        work.session.commit()
        assert "250 of 1,000 rows, 25 per second" in shown(operator)
        assert "250 of 1,000 rows" in shown(operator, f"/erp/feeds/{feed.id}")

    def test_it_is_paused_and_goes_on(self, work, operator):
        feed = make_feed(work, "item")
        work.session.commit()
        operator.send(f"/erp/feeds/{feed.id}/pause")
        assert fresh(work, feed).paused
        assert "Paused" in shown(operator, f"/erp/feeds/{feed.id}")
        operator.send(f"/erp/feeds/{feed.id}/resume")
        assert not fresh(work, feed).paused

    def test_limits_are_set_or_complained_about_at_the_field(self, work, operator):
        feed = make_feed(work, "item")
        work.session.commit()
        url = f"/erp/feeds/{feed.id}/limits"
        wrong = operator.send(url, limit_minutes="0", guard_percent="20")
        assert (wrong.status_code, "At least 1." in wrong.text) == (422, True)
        operator.send(url, limit_minutes="90", guard_percent="5")
        row = fresh(work, feed)
        assert (row.limit_minutes, row.guard_percent) == (90, 5)

    def test_one_record_is_read_again(self, work, operator):
        feed = make_feed(work, "item")
        work.session.commit()
        operator.send(f"/erp/feeds/{feed.id}/record", erp_id="PG-7")
        work.session.rollback()
        assert work.session.scalars(sa.select(ParkedRow.erp_id)).all() == ["PG-7"]


class TestHeldBack:
    def test_a_record_that_does_not_fit_is_read_again_or_ignored(self, work, operator):
        make_feed(work, "item")
        row = add(work, QuarantinedRow(connection_code="main", entity="item", erp_id="PG-3",
                                       path="currency", reason="unknown currency: 'NTD'",
                                       first_at=work.tick, last_at=work.tick))  # fmt: skip
        assert "unknown currency" in shown(operator, "/erp/findings")
        operator.send(f"/erp/held/{row.id}/ignore")
        assert fresh(work, row).ignored_at is not None
        operator.send(f"/erp/held/{row.id}/reread")
        assert fresh(work, row).ignored_at is None

    def test_a_drift_is_one_notice_and_can_be_closed(self, work, operator):
        make_feed(work, "item")
        row = add(work, DriftNotice(connection_code="main", entity="item", path="currency",
                                    kind="unknown currency", sample="unknown currency: 'NTD'",
                                    count=4711, first_at=work.tick,
                                    last_at=work.tick))  # fmt: skip
        assert "4,711" in shown(operator, "/erp/findings")
        operator.send(f"/erp/drift/{row.id}/close")
        assert "4,711" not in shown(operator, "/erp/findings")


def test_a_difference_shows_both_values_and_who_wins(work, operator):
    make_feed(work, "sales_order")
    account = make_account(work)
    order = make_order(work, account, lines=[make_line(work)])
    row = ErpConflict(connection_code="main", entity="sales_order", erp_id="0041", line_no=10,
                      field="10.qty", owner=Owner.AGREED, found=Found.CHANGED_THERE, base="5",
                      ours="5", theirs="7", order_id=order.id, account_id=account.id,
                      opened_at=work.now, changed_at=work.now)  # fmt: skip
    add(work, row)
    page = shown(operator)
    assert order.no in page
    assert "1 <small>to decide</small>" in page


class TestConnections:
    def test_orders_are_sent_only_after_the_certification(self, work, operator):
        row = make_connection(work, "cn", profile_digest="p1")
        answer = operator.send("/erp/connections/cn/writes", writes="on")
        assert (answer.status_code, "certify it first" in answer.text) == (409, True)
        kept(work, CertificateResult.WRITES, digest="p1", connection="cn")
        work.session.commit()
        assert operator.send("/erp/connections/cn/writes", writes="on").status_code == 303
        assert fresh(work, row).writes is Writes.ON
        assert "connection.changed" in work.session.scalars(sa.select(TimelineEntry.name)).all()

    def test_a_typed_secret_is_sealed_and_never_shown_again(self, work, operator):
        form = {"code": "cn", "profile": "twin", "base_url": "https://erp.example.com",
                "user": "crm", "secret": "hunter2", "params": "plant=SZ1"}  # fmt: skip
        assert operator.send("/erp/connections", **form).status_code == 303
        work.session.rollback()
        row = connections.get(work, "cn")
        assert row.secret.startswith("sealed:")
        assert row.params == {"plant": "SZ1"}
        assert (row.writes, row.notices) == (Writes.OFF, False)
        page = shown(operator, "/erp/connections/cn")
        assert "hunter2" not in page
        assert "plant=SZ1" in page

    def test_a_wrong_form_comes_back_with_what_was_typed(self, operator):
        form = {"code": "cn", "profile": "twin", "base_url": "not an address", "params": "x"}
        answer = operator.send("/erp/connections", **form)
        assert answer.status_code == 422
        assert "This is not a web address." in answer.text
        assert 'value="not an address"' in answer.text

    def test_codes_of_its_own_widen_the_profiles_maps_and_are_shown(self, work, operator):
        form = {"code": "cn", "profile": "twin", "base_url": "https://erp.example.com",
                "params": "map.station.paint=packing"}  # fmt: skip
        assert operator.send("/erp/connections", **form).status_code == 303
        assert "station.paint = packing" in shown(operator, "/erp/connections")

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("map.stations.paint=packing", "there is no [maps.stations]"),
            ("map.station.prep=packing", "the profile says what prep means"),
            ("map.station.=packing", "write map.station.CODE=meaning"),
        ],
    )
    def test_a_code_that_does_not_fit_is_refused_at_its_field(self, work, operator, line, said):
        form = {"code": "cn", "profile": "twin", "base_url": "https://erp.example.com",
                "params": line}  # fmt: skip
        answer = operator.send("/erp/connections", **form)
        assert (answer.status_code, said in html.unescape(answer.text)) == (422, True)
        assert work.session.scalars(sa.select(ErpConnection)).all() == []

    def test_the_first_connection_is_not_changed_here(self, operator):
        form = {"code": "main", "profile": "twin", "base_url": "https://erp.example.com"}
        answer = operator.send("/erp/connections", **form)
        assert (answer.status_code, "set in the environment" in answer.text) == (422, True)

    @pytest.mark.parametrize("code", ["main", "cn"])
    def test_quiet_hours_are_set_here_and_shown(self, work, operator, code):
        row = make_connection(work, code)
        form = {"quiet-0-days": "12345", "quiet-0-begin": "22:00", "quiet-0-end": "02:30",
                "quiet-0-allow": "none", "quiet-1-allow": "reads"}  # fmt: skip
        assert operator.send(f"/erp/connections/{code}/quiet", **form).status_code == 303
        assert fresh(work, row).quiet == [
            {"days": "12345", "from": "22:00", "to": "02:30", "allow": "none"}
        ]
        assert 'value="02:30"' in shown(operator, f"/erp/connections/{code}")
        assert "12345 22:00–02:30" in shown(operator, "/erp/connections")
        assert operator.send(f"/erp/connections/{code}/quiet").status_code == 303
        assert fresh(work, row).quiet == []

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"quiet-0-days": "78"}, "Days are digits from 1"),
            ({"quiet-0-begin": "25:00"}, "Write a time of day such as 22:00."),
            ({"quiet-0-end": ""}, "This field is needed."),
        ],
    )
    def test_wrong_quiet_hours_come_back_with_a_sentence_at_their_field(
        self, work, operator, wrong, said
    ):
        row = make_connection(work, "cn", quiet=[])
        form = {"quiet-0-days": "12345", "quiet-0-begin": "22:00", "quiet-0-end": "02:30",
                "quiet-0-allow": "none"}  # fmt: skip
        answer = operator.send("/erp/connections/cn/quiet", **(form | wrong))
        assert (answer.status_code, said in answer.text) == (422, True)
        assert 'value="12345"' in answer.text or "78" in answer.text
        assert fresh(work, row).quiet == []

    def test_customers_are_told_after_a_look_and_only_of_what_was_seen(self, work, operator):
        make_connection(work, "cn", notices_off_since=work.now - dt.timedelta(days=9))
        event = OrderCancelled(subject_id=1, order_id=1, account_id=1, no="SO-26-1",
                               amendment_no=0, reason="x")  # fmt: skip
        delivery = outbox.enqueue(work.session, event, "mail.promise_moved", work.tick)
        delivery.state, delivery.target = DeliveryState.DONE, "cn"
        work.session.commit()
        since = (work.today - dt.timedelta(days=1)).isoformat()
        url = "/erp/connections/cn/notices"
        assert '<span class="count">1</span>' in shown(operator, f"{url}?go_live_on={since}")
        stale = operator.send(url, go_live_on=since, seen="0")
        assert (stale.status_code, "The list has changed" in stale.text) == (422, True)
        assert operator.send(url, go_live_on=since, seen="1").status_code == 303
        work.session.expire_all()
        assert work.session.get_one(Delivery, delivery.id).state is DeliveryState.WAITING


class TestTheCulprit:
    REQUEST = (
        "<Draft><Customer>C1</Customer><Lines><Line><LineNo>10</LineNo><Item>A</Item></Line>"
        "<Line><LineNo>20</LineNo><Item>B</Item></Line></Lines></Draft>"
    )

    def marked(self, text, **issue):
        return [line for line, marked in legible(text, [issue]) if marked]

    def test_a_field_of_the_head_is_marked_by_its_name(self):
        assert self.marked(self.REQUEST, field="customer") == ["<Customer>C1</Customer>"]

    def test_a_field_of_a_line_is_marked_on_that_line_only(self):
        assert self.marked(self.REQUEST, field="lines.20.item", line_no=20) == ["<Item>B</Item>"]

    def test_a_value_in_a_name_value_pair_is_marked_by_its_name(self):
        text = '<Record><Field name="oea03" value="C1"/><Field name="oea10" value="P"/></Record>'
        assert self.marked(text, field="oea03") == ['<Field name="oea03" value="C1"/>']

    def test_without_a_field_nothing_is_marked(self):
        assert self.marked(self.REQUEST, field="") == []
