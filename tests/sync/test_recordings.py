"""Recording whole exchanges: only when asked for, within bounds, and not for ever."""

from __future__ import annotations

import datetime as dt
import os

import pytest

from b2bcrm.ports.erp import Entity
from b2bcrm.sync import recordings
from b2bcrm.sync.envelopes import HEAD, StoredEnvelopes
from b2bcrm.sync.recordings import MEGABYTE, REPLY_CAP, Recording
from connectors.erp.gateway import connect
from tests.conftest import NOW
from tests.twins import CONNECTION


class Clock:
    at = NOW

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def recording(tmp_path, clock):
    return Recording(tmp_path, "main", clock)


def kept(recording):
    return sorted(p.name for p in recording.home.glob("*.xml")) if recording.home.exists() else []


def test_nothing_is_recorded_unless_somebody_asks(recording):
    recording.keep("list item", "abc", b"<q/>", b"<a/>")
    assert kept(recording) == []
    assert not recording.runs()


def test_a_recorded_exchange_is_named_by_its_call(recording):
    recording.start(days=1, megabytes=1)
    recording.keep("list sales_order", "3f2a9c0011", b"<q/>", b"<a/>")
    name = "list-sales_order.20261117T014000-3f2a9c00"
    assert kept(recording) == [f"{name}.reply.xml", f"{name}.request.xml"]
    assert recording.size() == (1, 8)


def test_recording_ends_by_itself_after_its_days(recording, clock):
    recording.start(days=2, megabytes=1)
    clock.at += dt.timedelta(days=2)
    recording.keep("list item", "abc", b"<q/>", b"<a/>")
    assert kept(recording) == []


def test_recording_ends_when_its_megabytes_are_used_up(recording):
    recording.start(days=1, megabytes=1)
    recording.keep("list item", "a", b"", b"x" * (MEGABYTE - 10))
    recording.keep("list item", "b", b"", b"x" * 11)
    assert recording.size()[0] == 1


def test_what_is_switched_off_stays_for_a_dry_run(recording):
    recording.start(days=1, megabytes=1)
    recording.keep("list item", "a", b"<q/>", b"<a/>")
    recording.stop()
    assert not recording.runs()
    assert recording.size()[0] == 1


def test_recordings_are_thrown_away_two_weeks_after_they_ended(recording, clock, tmp_path):
    recording.start(days=1, megabytes=1)
    recording.keep("list item", "a", b"<q/>", b"<a/>")
    for path in recording.home.iterdir():
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    clock.at += dt.timedelta(days=13)
    assert recordings.forget_old(tmp_path, clock) == 0
    clock.at += dt.timedelta(days=2)
    assert recordings.forget_old(tmp_path, clock) == 1
    assert not recording.home.exists()


def test_a_disk_that_is_full_stops_no_call(recording, monkeypatch, caplog):
    recording.start(days=1, megabytes=1)

    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(Recording, "_put", full)
    recording.keep("list item", "a", b"<q/>", b"<a/>")
    assert "could not be recorded" in caplog.text


def test_a_broken_switch_file_is_off(recording):
    recording.start(days=1, megabytes=1)
    (recording.home / recordings.SWITCH).write_text("{")
    assert not recording.runs()


def test_a_recorded_connection_keeps_whole_replies_with_prices_masked(office, twin, recording):
    log = StoredEnvelopes(office, "main", recording)
    gateway = connect(CONNECTION, log, session=twin.session, now=lambda: twin.at)
    gateway.list(Entity.PRICE)
    assert (log.room(), kept(recording)) == (HEAD, [])
    recording.start(days=1, megabytes=20)
    assert log.room() == REPLY_CAP
    gateway.list(Entity.SALES_ORDER)
    (reply,) = recording.home.glob("list-sales_order.*.reply.xml")
    text = reply.read_text()
    assert len(text) > HEAD
    assert text.rstrip().endswith("Envelope>")
    assert "<UnitPrice>***<" in text.replace("ns0:", "")
