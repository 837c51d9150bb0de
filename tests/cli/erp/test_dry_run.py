"""``crm erp record`` and ``crm erp dry-run``: recorded replies through two mappings."""

from __future__ import annotations

import dataclasses

import pytest

from b2bcrm.ports.erp import Entity
from b2bcrm.sync.recordings import Recording
from connectors.erp.gateway import connect
from connectors.erp.profile import PROFILE_DIR
from tests.conftest import NOW
from tests.twins import CONNECTION


class Keeping:
    """An envelope log that records and nothing else."""

    def __init__(self, recording) -> None:
        self.recording = recording

    def room(self):
        return 10**8

    def note(self, *, call, correlation_id, request, reply, **_):
        self.recording.keep(call, correlation_id, request, reply)


@pytest.fixture
def recorded(twin, tmp_path):
    """The data folder's recording of customers, work orders and one item, from the twin."""
    recording = Recording(tmp_path / "data" / "recordings", "main", lambda: NOW)
    recording.start(days=1, megabytes=50)
    gateway = connect(CONNECTION, Keeping(recording), session=twin.session)
    gateway.list(Entity.CUSTOMER)
    gateway.list(Entity.WORK_ORDER, page_size=200)
    gateway.get(Entity.ITEM, gateway.list(Entity.ITEM, page_size=1).records[0].erp_id)
    return recording.home


@pytest.fixture
def changed(tmp_path):
    """The twin's profile with changes made to its text: ``changed(old, new)`` gives its file."""

    def change(old, new):
        text = (PROFILE_DIR / "twin.toml").read_text()
        assert old in text
        path = tmp_path / "changed.toml"
        path.write_text(text.replace(old, new))
        return path

    return change


def test_an_unchanged_profile_changes_nothing(crm, recorded):
    done = crm("erp", "dry-run", "--profile", "twin")
    assert done.exit_code == 0, done.output
    assert "0 values of 0 records would change." in done.output
    assert "customer" in done.output


def test_a_changed_mapping_is_shown_field_by_field(crm, recorded, changed):
    profile = changed('short_name = "ShortName"', 'short_name = {same = "tax_id"}')
    done = crm("erp", "dry-run", "--profile", profile, "--show", "3")
    assert done.exit_code == 0, done.output
    lines = [line for line in done.output.splitlines() if " short_name: " in line]
    assert len(lines) == 3
    assert "more; --show" in done.output
    assert "held back" not in done.output


def test_what_a_changed_mapping_would_hold_back_is_named(crm, recorded, changed):
    profile = changed('done = "done"', 'finished = "done"')
    done = crm("erp", "dry-run", "--profile", profile)
    assert done.exit_code == 0, done.output
    assert "held back then: work_order" in done.output
    assert "read -> not read" in done.output


def test_a_folder_of_hand_made_recordings_is_read_too(crm, recorded, tmp_path):
    folder = tmp_path / "by hand"
    folder.mkdir()
    (reply,) = recorded.glob("list-customer.*.reply.xml")
    (folder / "list-customer.1.reply.xml").write_bytes(reply.read_bytes())
    (folder / "notes.txt").write_text("not a reply")
    done = crm("erp", "dry-run", "--profile", "twin", "--recorded", folder)
    assert done.output.startswith("1 replies")


def test_a_reply_that_cannot_be_read_is_named_and_the_others_go_on(crm, recorded):
    (recorded / "list-item.1.reply.xml").write_bytes(b"<cut")
    done = crm("erp", "dry-run", "--profile", "twin")
    assert done.exit_code == 0, done.output
    assert "held back now: list-item.1.reply.xml" in done.output


def test_only_what_was_recorded_since_a_day_is_read(crm, recorded):
    assert "4 replies" in crm("erp", "dry-run", "--profile", "twin", "--since", "2026-11-17").output
    done = crm("erp", "dry-run", "--profile", "twin", "--since", "2026-11-18")
    assert done.exit_code == 1
    assert "There are no recorded replies" in done.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--profile", "twin", "--recorded", "/no/such/folder"], "does not exist"),
        (["--profile", "twin", "--since", "yesterday"], "does not match the format"),
        ([], "Missing option '--profile'"),
        (["--profile", "unheard-of"], "there is no profile"),
    ],
)
def test_wrong_input_gets_one_sentence(crm, recorded, options, said):
    done = crm("erp", "dry-run", *options)
    assert done.exit_code != 0
    assert said in done.output


def test_recording_is_switched_and_shown(crm, tmp_path):
    assert "main: off; 0 exchanges" in crm("erp", "record", "show").output
    assert "is recorded until" in crm("erp", "record", "on", "--days", "2", "--mb", "5").output
    assert "main: until" in crm("erp", "record", "show").output
    assert (tmp_path / "data" / "recordings" / "main").stat().st_mode & 0o077 == 0
    assert "main is not recorded." in crm("erp", "record", "off").output
    assert "main: off" in crm("erp", "record", "show").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["maybe"], "'maybe' is not one of"),
        (["on", "--days", "99"], "99 is not in the range"),
        (["on", "--connection", "../x"], "no connection's code"),
    ],
)
def test_wrong_words_for_recording_get_one_sentence(crm, words, said):
    done = crm("erp", "record", *words)
    assert done.exit_code == 2
    assert said in done.output


def test_the_dry_run_of_a_nested_change_names_its_place(twin):
    from connectors.erp.replay import Reading, compare

    order = next(o for o in twin.gateway.list(Entity.SALES_ORDER).records if len(o.lines) > 1)
    second = dataclasses.replace(order.lines[1], uom="kg")
    other = dataclasses.replace(order, lines=(order.lines[0], second, *order.lines[2:]))
    before, after = Reading(), Reading()
    before.put(order, Entity.SALES_ORDER)
    after.put(other, Entity.SALES_ORDER)
    (change,) = compare(before, after)
    assert (change.path, change.after) == ("lines[2].uom", "kg")
