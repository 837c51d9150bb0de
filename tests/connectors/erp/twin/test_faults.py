"""Faults on demand: each shows as it would on a network, and plans strike by their seed alone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import time
from collections import Counter

import pytest

from b2bcrm.ports.erp import (
    Connection,
    Entity,
    ErpAuth,
    ErpConflict,
    ErpOutcomeUnknown,
    ErpRefused,
    ErpUnavailable,
)
from connectors.erp.gateway import connect
from connectors.erp.twin.faults import Asked, Deck, Dice, Fault, Switch
from connectors.erp.twin.inprocess import mount
from connectors.erp.twin.listening import make_server
from connectors.erp.twin.server import TwinApp
from connectors.erp.twin.trouble import Pace
from connectors.erp.twin.world import TwinWorld

from .scene import draft

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
PACE = Pace(silent_s=5, drip_s=0.02, lockout_s=0.2, restart_s=0.3)
NOW = dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)
NOTHING_DONE = {
    Fault.TIMEOUT_BEFORE_COMMIT: ErpOutcomeUnknown,
    Fault.HTML_200: ErpOutcomeUnknown,
    Fault.HTML_404: ErpOutcomeUnknown,
    Fault.DOWN_503: ErpOutcomeUnknown,
    Fault.FAULT_IN_200: ErpOutcomeUnknown,
    Fault.RESTARTED: ErpOutcomeUnknown,
    Fault.DEADLOCK: ErpUnavailable,
    Fault.SESSION_EXPIRED: ErpAuth,
}
DONE_ALL_THE_SAME = (
    Fault.TIMEOUT_AFTER_COMMIT,
    Fault.RESET_MID_BODY,
    Fault.HTML_502,
    Fault.MISSING_ELEMENT,
    Fault.WRONG_ENCODING,
    Fault.SLOW_DRIP,
)


@dataclasses.dataclass
class Scene:
    """A twin, reached over a socket or in process; ``next`` befalls the next call."""

    world: TwinWorld
    gateway: object
    next: Fault | None = None

    def fate(self, asked: Asked) -> Fault | None:
        fault, self.next = self.next, None
        return fault

    def stored(self, reference: str) -> int:
        return len(self.world.lookup(Entity.SALES_ORDER, "reference", reference))

    def items(self, **page):
        return self.gateway.list(Entity.ITEM, **page)


@pytest.fixture(params=["socket", "in process"])
def scene(request, twin):
    scene = Scene(twin.world, None)
    app = TwinApp(twin.world, user="crm", password="open", faults=scene.fate, pace=PACE)
    connection = Connection(
        code="main",
        profile="twin",
        base_url="http://erp.test",
        company="FPD-TW",
        user="crm",
        secret="open",
        connect_timeout_s=0.5,
        read_timeout_s=0.4,
    )
    if request.param == "in process":
        session = mount(app, connection.base_url)
        scene.gateway = connect(connection, session=session, now=lambda: NOW)
        yield scene
        return
    server = make_server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    scene.gateway = connect(dataclasses.replace(connection, base_url=url), now=lambda: NOW)
    scene.gateway.check()
    yield scene
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("fault", NOTHING_DONE)
def test_a_write_that_was_not_done_fails_as_what_it_is_and_can_be_sent_again(scene, fault):
    order = draft("SO-26-90001/0")
    scene.next = fault
    with pytest.raises(NOTHING_DONE[fault]):
        scene.gateway.create(order)
    assert scene.stored("SO-26-90001/0") == 0
    wait_until_well(scene)
    scene.gateway.create(order)
    assert scene.stored("SO-26-90001/0") == 1


@pytest.mark.parametrize("fault", DONE_ALL_THE_SAME)
def test_a_write_whose_answer_is_lost_was_done_and_its_outcome_is_unknown(scene, fault):
    scene.next = fault
    with pytest.raises(ErpOutcomeUnknown):
        scene.gateway.create(draft("SO-26-90001/0"))
    for _ in range(100):  # the caller may have hung up while the ERP was at it
        if scene.stored("SO-26-90001/0"):
            break
        time.sleep(0.02)
    assert scene.stored("SO-26-90001/0") == 1


def wait_until_well(scene) -> None:
    for _ in range(100):
        if scene.gateway.check().ok:
            return
        time.sleep(0.02)
    raise AssertionError("the twin did not come back")


def test_a_false_success_names_a_number_that_nobody_has(scene):
    order = draft("SO-26-90001/0")
    scene.next = Fault.FALSE_SUCCESS
    result = scene.gateway.create(order)
    assert result.erp_id
    assert scene.gateway.get(Entity.SALES_ORDER, result.erp_id) is None
    assert scene.gateway.create(order).erp_id == result.erp_id  # the number was not used up


def test_a_new_element_disturbs_nobody(scene):
    whole = scene.items()
    scene.next = Fault.NEW_ELEMENT
    page = scene.items()
    assert page.complete
    assert page.records == whole.records
    scene.next = Fault.NEW_ELEMENT
    assert scene.gateway.create(draft("SO-26-90001/0")).erp_id


@pytest.mark.parametrize(
    "fault",
    [
        Fault.TIMEOUT_BEFORE_COMMIT,
        Fault.TIMEOUT_AFTER_COMMIT,
        Fault.RESET_MID_BODY,
        Fault.HTML_200,
        Fault.HTML_404,
        Fault.HTML_502,
        Fault.DOWN_503,
        Fault.FAULT_IN_200,
        Fault.WRONG_ENCODING,
        Fault.SLOW_DRIP,
        Fault.RESTARTED,
    ],
)
def test_a_read_that_fails_is_an_outage_and_nothing_else(scene, fault):
    scene.next = fault
    with pytest.raises(ErpUnavailable):
        scene.items()


@pytest.mark.parametrize("fault", [Fault.TRUNCATED_PAGE, Fault.MISSING_ELEMENT])
def test_a_page_that_lacks_something_is_not_complete(scene, fault):
    whole = scene.items()
    scene.next = fault
    page = scene.items()
    assert not page.complete
    assert len(page.records) < len(whole.records)


def test_rows_that_come_twice_are_the_same_rows(scene):
    whole = scene.items()
    scene.next = Fault.DUPLICATED_PAGE
    page = scene.items()
    assert page.complete
    assert page.records == [*whole.records, *whole.records]


def test_a_row_that_leaves_a_page_comes_on_a_later_one(scene):
    first = scene.items(page_size=5)
    gone = first.records[0].erp_id
    scene.next = Fault.PAGE_SHIFT
    page = scene.items(page_size=5)
    assert page.complete
    assert gone not in {row.erp_id for row in page.records}
    rest, cursor = set(), page.next_cursor
    while cursor:
        later = scene.items(page_size=50, cursor=cursor)
        rest |= {row.erp_id for row in later.records}
        cursor = later.next_cursor
    assert gone in rest


def test_what_was_stamped_before_a_late_commit_is_seen_after_it(scene):
    scene.gateway.create(draft("SO-26-90001/0"))
    scene.next = Fault.LATE_COMMIT
    before = scene.gateway.list(Entity.SALES_ORDER, since=NOW - dt.timedelta(hours=1))
    after = scene.gateway.list(Entity.SALES_ORDER, since=NOW - dt.timedelta(hours=1))
    assert before.complete
    assert len(before.records) < len(after.records)
    assert before.high_watermark >= after.records[-1].updated_at


def test_a_stale_version_and_a_stale_page_key_are_said_to_be_stale(scene):
    order = draft("SO-26-90001/0")
    written = scene.gateway.create(order)
    scene.next = Fault.STALE_VERSION
    with pytest.raises(ErpConflict):
        scene.gateway.update(written.erp_id, order)
    cursor = scene.items(page_size=5).next_cursor
    scene.next = Fault.STALE_VERSION
    with pytest.raises(ErpRefused):
        scene.items(page_size=5, cursor=cursor)


def test_the_clock_is_off_by_two_hours_ahead_and_behind(scene):
    right = scene.items().high_watermark
    off = set()
    for _ in range(2):
        scene.next = Fault.CLOCK_OFF
        off.add(scene.items().high_watermark - right)
    assert off == {dt.timedelta(hours=2), dt.timedelta(hours=-2)}


CALLS = [
    Asked("CreateSalesOrder"),
    Asked("ListItems", rows=3),
    Asked("ListItems"),
    Asked("ChangeSalesOrder"),
] * 200


def test_a_deck_strikes_as_often_as_asked_at_calls_that_only_the_seed_decides():
    def fates(seed):
        deck = Deck(
            seed,
            writes={Fault.DEADLOCK: 20, Fault.HTML_200: 30},
            reads={Fault.TRUNCATED_PAGE: 40, Fault.HTML_200: 10},
            on_writes=0.5,
            on_reads=0.5,
        )
        return [deck(call) for call in CALLS], deck.left()

    found, left = fates(1)
    assert left == 0
    writes = Counter(f for f, call in zip(found, CALLS, strict=True) if call.writes)
    reads = Counter(f for f, call in zip(found, CALLS, strict=True) if not call.writes)
    assert (writes[Fault.DEADLOCK], writes[Fault.HTML_200]) == (20, 30)
    assert (reads[Fault.TRUNCATED_PAGE], reads[Fault.HTML_200]) == (40, 10)
    assert fates(1)[0] == found
    assert fates(2)[0] != found
    assert all(call.rows for f, call in zip(found, CALLS, strict=True) if f is Fault.TRUNCATED_PAGE)


def test_dice_strike_only_the_operations_they_are_thrown_for():
    def fates(seed):
        dice = Dice(seed, rate=0.5, kinds=set(Fault), operations=["ListItems"])
        return [dice(call) for call in CALLS]

    found = fates(1)
    struck = [call for f, call in zip(found, CALLS, strict=True) if f]
    assert {call.operation for call in struck} == {"ListItems"}
    assert 140 < len(struck) < 260
    assert fates(1) == found


def test_a_switch_shows_new_settings_from_the_next_call_on(world, tmp_path):
    served, elsewhere = Switch(tmp_path / "twin.db"), Switch(tmp_path / "twin.db")
    assert served(Asked("Ping")) is None
    elsewhere.set({"seed": 1, "rate": 1.0, "kinds": ["html_404"], "operations": ["ListItems"]})
    assert served(Asked("ListItems")) is Fault.HTML_404
    assert served(Asked("Ping")) is None
    elsewhere.set(None)
    assert served(Asked("ListItems")) is None
    served.close()
    elsewhere.close()
