"""What an operator does at the monitor, and when he is told without looking."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.errors import Conflict, NotAllowed, NotFound
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.ports.erp import Drifted, Entity
from b2bcrm.sync import actions, breaker, findings, freshness, guard, quarantine
from b2bcrm.sync.models import (
    DriftNotice,
    ErpConnection,
    Feed,
    GuardState,
    GuardStop,
    QuarantinedRow,
    RunOutcome,
)

pytestmark = pytest.mark.db
GRACE = Actor(name="Grace Wu", role=Role.ERP_ADMIN)


@pytest.fixture
def loaded(puller):
    puller.pull(Entity.CUSTOMER)
    puller.pull(Entity.ITEM)
    return puller


@pytest.fixture
def act(office):
    """Do something as the ERP's administrator, in a Work of its own."""

    def do(what, *arguments, **named):
        with office.open(GRACE) as work:
            return what(work, *arguments, **named)

    return do


def told(look):
    return look(sa.select(TimelineEntry).order_by(TimelineEntry.id.desc()))


def test_every_act_needs_the_right(work):
    work.actor = Actor(name="Mei", role=Role.SALES)
    for what in (
        lambda: actions.pause(work, 1, paused=True),
        lambda: actions.decide(work, 1, approve=True),
        lambda: actions.resync(work, "main", Entity.ITEM, "X"),
        lambda: actions.reread(work, 1),
        lambda: actions.ignore(work, 1),
        lambda: actions.close_notice(work, 1),
        lambda: actions.reset_breaker(work, "main"),
        lambda: actions.read_in_full(work, 1),
        lambda: actions.reconcile_now(work, 1, by_content=True),
        lambda: actions.set_limits(work, 1, limit_minutes=1, guard_percent=1),
    ):
        with pytest.raises(NotAllowed):
            what()


def test_what_is_not_there_is_not_found(work):
    for what in (
        lambda: actions.pause(work, 1, paused=True),
        lambda: actions.decide(work, 1, approve=True),
        lambda: actions.resync(work, "main", Entity.ITEM, "X"),
        lambda: actions.reread(work, 1),
        lambda: actions.close_notice(work, 1),
        lambda: actions.reset_breaker(work, "main"),
    ):
        with pytest.raises(NotFound):
            what()


def test_a_paused_feed_is_left_alone_until_it_is_resumed(loaded, act, feed, look):
    item = feed(Entity.ITEM).id
    act(actions.pause, item, paused=True)
    assert loaded.pull(Entity.ITEM) is None
    assert (told(look).actor_name, told(look).name) == ("Grace Wu", "feed.acted")
    act(actions.pause, item, paused=False)
    assert loaded.pull(Entity.ITEM) is RunOutcome.COMPLETE


@pytest.fixture
def question(loaded, tampered, monkeypatch, watch, look):
    monkeypatch.setattr(guard, "ALWAYS", 5)
    watch.at += dt.timedelta(hours=1)
    other = tampered(lambda r: dataclasses.replace(r, name="Test", version="t"))
    real = other.erp.list
    other.erp.list = lambda entity, **page: real(entity, **{**page, "since": None})
    assert other.pull(Entity.ITEM) is RunOutcome.HELD
    return other, look(sa.select(GuardStop))


def test_a_question_is_mailed_answered_once_and_stands_on_the_timeline(question, act, look, office):
    puller, asked = question
    assert look(sa.select(Delivery.event).where(Delivery.handler == "mail.erp_admins")) == (
        "feed.guard_asked"
    )
    with office.open(read_only=True) as work:
        assert [stop.id for stop, _feed in findings.questions(work)] == [asked.id]
    act(actions.decide, asked.id, approve=True)
    with pytest.raises(Conflict):
        act(actions.decide, asked.id, approve=False)
    assert puller.pull(Entity.ITEM) is RunOutcome.COMPLETE
    assert look(sa.select(GuardStop)).decided_by == "Grace Wu"


def test_a_no_pauses_the_feed(question, act, feed, look):
    puller, asked = question
    act(actions.decide, asked.id, approve=False)
    assert feed(Entity.ITEM).paused
    assert puller.pull(Entity.ITEM) is None
    assert look(sa.select(GuardStop)).state is GuardState.REFUSED


def test_one_record_is_read_again_whatever_its_stamp_says(loaded, tampered, act, look):
    no = loaded.erp.list(Entity.ITEM).records[0].erp_id
    quiet = tampered(lambda r: dataclasses.replace(r, name="New") if r.erp_id == no else r)
    act(actions.resync, "main", Entity.ITEM, no)
    quiet.erp.list = lambda entity, **page: loaded.erp.list(
        entity, **{**page, "since": dt.datetime(2030, 1, 1, tzinfo=dt.UTC)}
    )
    quiet.pull(Entity.ITEM)
    assert look(sa.select(Item.name).where(Item.no == no)) == "New"


def test_an_ignored_record_is_asked_for_no_more_until_a_person_wants_it(loaded, act, office, look):
    with office.open() as work:
        quarantine.hold_back(work, "main", Entity.ITEM, [Drifted("X", "unit", "unknown 'BOX'")])
    row = look(sa.select(QuarantinedRow))
    act(actions.ignore, row.id)
    with office.open(read_only=True) as work:
        assert list(quarantine.waiting(work, "main", Entity.ITEM, 9)) == []
        assert quarantine.held_ids(work, "main", Entity.ITEM) == {"X"}
    act(actions.reread, row.id)
    with office.open(read_only=True) as work:
        assert list(quarantine.waiting(work, "main", Entity.ITEM, 9)) == ["X"]


def test_a_closed_notice_is_shown_no_more(loaded, act, office, look):
    with office.open() as work:
        quarantine.hold_back(work, "main", Entity.ITEM, [Drifted("X", "unit", "unknown 'BOX'")])
    act(actions.close_notice, look(sa.select(DriftNotice)).id)
    with office.open(read_only=True) as work:
        assert list(findings.open_notices(work)) == []
        assert findings.quarantined(work)[1] == 1


def test_a_reset_breaker_lets_every_feed_run_at_once(loaded, act, office, feed):
    with office.open() as work:
        for _ in range(breaker.BREAK_AFTER):
            breaker.failed(work, "main", None)
    assert loaded.pull_due() == 0
    act(actions.reset_breaker, "main")
    with office.open(read_only=True) as work:
        assert work.session.scalars(sa.select(ErpConnection)).one().open_until is None
    assert loaded.pull_due() > 0
    assert feed(Entity.ITEM).failures == 0


def test_a_feed_read_in_full_again_writes_only_what_differs(loaded, act, feed, office):
    act(actions.read_in_full, feed(Entity.ITEM).id)
    assert feed(Entity.ITEM).loaded_at is None
    with office.open(read_only=True) as work:
        assert findings.loads(work, work.session.scalars(sa.select(Feed))) == []
    assert loaded.pull(Entity.ITEM) is RunOutcome.COMPLETE
    assert feed(Entity.ITEM).load_rows > 0


def test_a_first_load_tells_how_far_it_is(loaded, office):
    with office.open() as work:
        row = work.session.scalars(sa.select(Feed).where(Feed.entity == "bom")).one()
        row.load_started_at = work.tick - dt.timedelta(seconds=100)
        row.load_rows, row.announced = 500, 2000
    with office.open(read_only=True) as work:
        (one,) = findings.loads(work, work.session.scalars(sa.select(Feed)))
    assert (one.rows, one.percent, one.per_second) == (500, 25, 5.0)
    assert one.left == dt.timedelta(seconds=300)


class TestFreshness:
    def test_a_feed_past_its_limit_is_told_once_per_incident(self, loaded, office, watch, count):
        def alerts():
            with office.open() as work:
                return freshness.alert(work)

        assert alerts() == 0
        watch.at += dt.timedelta(days=2)
        assert (alerts(), alerts()) == (2, 0)  # customers and items
        loaded.pull(Entity.ITEM)
        assert alerts() == 0
        watch.at += dt.timedelta(days=2)
        assert alerts() == 1
        assert count(Delivery) == 3

    def test_a_stale_feed_says_its_name_and_age(self, loaded, office, watch):
        with office.open(read_only=True) as work:
            assert freshness.stale_feeds(work, [Entity.ITEM]) == []
        watch.at += dt.timedelta(minutes=1500)
        with office.open(read_only=True) as work:
            (stale,) = freshness.stale_feeds(work, [Entity.ITEM])
            (never,) = freshness.stale_feeds(work, [Entity.STOCK])
        assert str(stale.why()) == (
            "Items from the ERP are 1500 minutes old, more than the 1440 allowed."
        )
        assert "never read" in str(never.why())
