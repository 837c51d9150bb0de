"""The gate: what an ERP account bears, orders first, and what is refused at once."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm.kernel.clock import Clock
from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import ErpOutcomeUnknown, ErpThrottled
from b2bcrm.sync import breaker, gate, quiet
from b2bcrm.sync.gate import DatabaseGate
from b2bcrm.sync.models import ErpConnection, GatePlace, Writes
from b2bcrm.sync.quiet import Allowed
from tests.conftest import NOW

pytestmark = pytest.mark.db


class Sleeper:
    """Sleeping moves the clock; ``meanwhile`` happens once in the first sleep."""

    def __init__(self):
        self.at, self.meanwhile = NOW, None

    def __call__(self, seconds):
        self.at += dt.timedelta(seconds=seconds)
        if self.meanwhile is not None:
            act, self.meanwhile = self.meanwhile, None
            act()


@pytest.fixture
def sleeper(office):
    sleeper = Sleeper()
    object.__setattr__(office, "clock", Clock(read=lambda: sleeper.at))
    return sleeper


@pytest.fixture
def erp(office, sleeper):
    with office.open() as work:
        work.session.add(ErpConnection(code="main", writes=Writes.ON))
    return DatabaseGate(office, "main", concurrency=2, per_minute=10, sleep=sleeper)


def change(office, **values):
    with office.open() as work:
        work.session.execute(sa.update(ErpConnection).values(**values))


def places(office):
    with office.open(read_only=True) as work:
        return work.session.scalar(sa.select(sa.func.count()).select_from(GatePlace))


def test_a_place_is_given_back_whatever_happens(erp, office):
    with erp.turn(write=False):
        assert places(office) == 1
    with pytest.raises(KeyError), erp.turn(write=True):
        raise KeyError
    assert places(office) == 0


def test_no_more_calls_at_once_than_the_erp_bears(erp):
    with (
        erp.turn(write=False),
        erp.turn(write=False),
        pytest.raises(ErpThrottled, match="no free place"),
        erp.turn(write=False),
    ):
        pass


def test_a_read_gets_the_place_that_another_gives_back(erp, sleeper):
    first = erp.turn(write=False)
    first.__enter__()
    sleeper.meanwhile = lambda: first.__exit__(None, None, None)
    with erp.turn(write=False), erp.turn(write=False):
        assert sleeper.at > NOW


def test_a_waiting_order_goes_before_a_read_that_comes_later(erp, sleeper):
    came = []
    first, second = erp.turn(write=False), erp.turn(write=False)
    first.__enter__()
    second.__enter__()

    def read_meanwhile():
        first.__exit__(None, None, None)
        with pytest.raises(ErpThrottled), erp.turn(write=False):
            came.append("read")

    sleeper.meanwhile = read_meanwhile
    with erp.turn(write=True):
        came.append("order")
    assert came == ["order"]


def test_reads_leave_a_fifth_of_each_minute_to_orders(erp, sleeper):
    for _ in range(8):
        with erp.turn(write=False):
            pass
    with erp.turn(write=True):
        assert sleeper.at == NOW
    with pytest.raises(ErpThrottled), erp.turn(write=False):
        pass
    sleeper.at += gate.MINUTE
    with erp.turn(write=False):
        pass


def test_two_connections_with_one_login_share_its_places(erp, office, sleeper):
    change(office, base_url="https://erp.example", user="crm")
    with office.open() as work:
        work.session.add(ErpConnection(code="cn", base_url="https://erp.example", user="crm"))
    other = DatabaseGate(office, "cn", concurrency=2, per_minute=10, sleep=sleeper)
    with (
        erp.turn(write=False),
        erp.turn(write=False),
        pytest.raises(ErpThrottled),
        other.turn(write=False),
    ):
        pass


def test_the_place_of_a_dead_worker_ends(erp, sleeper):
    erp.turn(write=False).__enter__()
    erp.turn(write=False).__enter__()
    sleeper.at += gate.PLACE
    with erp.turn(write=False):
        pass


def test_an_erp_that_wants_rest_gets_it_from_all(erp, sleeper):
    tired = ErpThrottled(Message("Too many calls."), retry_after=dt.timedelta(minutes=2))
    with pytest.raises(ErpThrottled), erp.turn(write=False):
        raise tired
    with pytest.raises(ErpThrottled, match="wants rest"), erp.turn(write=True):
        pass
    sleeper.at += dt.timedelta(minutes=2)
    with erp.turn(write=True):
        pass


@pytest.mark.parametrize("writes", [Writes.OFF, Writes.DRY_RUN])
def test_nothing_is_sent_before_it_is_switched_on(erp, office, writes):
    change(office, writes=writes)
    with pytest.raises(ErpThrottled, match="switched off"), erp.turn(write=True):
        pass
    with erp.turn(write=False):
        pass


def test_quiet_hours_keep_orders_or_everything_out(erp, office, sleeper):
    night = {"days": "1234567", "from": "09:00", "to": "10:00", "allow": "reads"}
    change(office, quiet=[night])
    with erp.turn(write=False):
        pass
    with pytest.raises(ErpThrottled) as refused, erp.turn(write=True):
        pass
    assert refused.value.retry_after == dt.timedelta(minutes=20)
    change(office, quiet=[{**night, "allow": "none"}])
    with pytest.raises(ErpThrottled), erp.turn(write=False):
        pass


def test_failing_orders_open_the_breaker_and_a_read_comes_before_the_next_order(
    erp, office, sleeper
):
    for _ in range(breaker.BREAK_AFTER):
        with pytest.raises(ErpOutcomeUnknown), erp.turn(write=True):
            raise ErpOutcomeUnknown(Message("No answer."))
    with pytest.raises(ErpThrottled, match="left alone"), erp.turn(write=False):
        pass
    sleeper.at += breaker.BREAK_FOR
    with pytest.raises(ErpThrottled, match="tried with a read"), erp.turn(write=True):
        pass
    with office.open() as work:
        assert breaker.take_probe(work, "main")
        assert not breaker.take_probe(work, "main")
        breaker.answered(work, "main")
    with erp.turn(write=True):
        pass


NIGHT = {"days": "1", "from": "22:00", "to": "02:00", "allow": "none"}


class TestQuietHours:
    @pytest.mark.parametrize(
        ("home", "what"),
        [
            ("2026-11-16T21:59", Allowed.ALL),  # a Monday
            ("2026-11-16T22:00", Allowed.NONE),
            ("2026-11-17T01:59", Allowed.NONE),
            ("2026-11-17T02:00", Allowed.ALL),
            ("2026-11-17T22:30", Allowed.ALL),
        ],
    )
    def test_hours_pass_midnight_and_belong_to_the_day_they_begin_on(self, home, what):
        tick = dt.datetime.fromisoformat(f"{home}+08:00")
        assert quiet.allowed([NIGHT], tick)[0] is what

    @pytest.mark.parametrize(
        "wrong", [{"days": "8"}, {"from": "25:00"}, {"allow": "all"}, {"days": ""}]
    )
    def test_what_cannot_be_understood_is_refused(self, wrong):
        with pytest.raises(Invalid):
            quiet.check([{**NIGHT, **wrong}])
