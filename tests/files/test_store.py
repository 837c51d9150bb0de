"""The folder of contents: whole or not at all, each once, orphans swept."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from b2bcrm.files import store
from tests.conftest import NOW

OLD = NOW - dt.timedelta(days=3)


def names(files_dir):
    return sorted(p.name for p in files_dir.rglob("*") if p.is_file())


def test_equal_contents_share_one_file(files_dir):
    first = store.put(files_dir, b"same", NOW)
    assert store.put(files_dir, b"same", NOW) == first
    assert names(files_dir) == [first]
    assert store.path_of(files_dir, first).read_bytes() == b"same"


def test_a_disk_that_fails_midway_leaves_nothing(files_dir, monkeypatch):
    def fail(_handle):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        store.put(files_dir, b"half", NOW)
    assert names(files_dir) == []


def test_a_truncated_content_is_written_again(files_dir):
    digest = store.put(files_dir, b"whole", NOW)
    store.path_of(files_dir, digest).write_bytes(b"wh")
    store.put(files_dir, b"whole", NOW)
    assert store.path_of(files_dir, digest).read_bytes() == b"whole"


@pytest.mark.parametrize("digest", ["", "../../secret", "g" * 64, "a" * 63])
def test_only_a_digest_names_a_content(tmp_path, digest):
    with pytest.raises(ValueError, match="digest"):
        store.path_of(tmp_path, digest)


def test_a_sweep_removes_old_contents_that_no_row_names(files_dir):
    kept = store.put(files_dir, b"kept", OLD)
    orphan = store.put(files_dir, b"orphan", OLD)
    fresh = store.put(files_dir, b"fresh", NOW)
    removed = store.sweep(files_dir, lambda digests: {kept} & set(digests), NOW)
    assert removed == [orphan]
    assert names(files_dir) == sorted([kept, fresh])


def test_a_sweep_removes_what_a_crash_left_half_written(files_dir):
    digest = store.put(files_dir, b"kept", OLD)
    rest = store.path_of(files_dir, digest).parent / ".new-abc"
    rest.write_bytes(b"ha")
    os.utime(rest, (OLD.timestamp(), OLD.timestamp()))
    store.sweep(files_dir, set, NOW)
    assert not rest.exists()


def test_a_content_that_is_stored_again_during_the_sweep_stays(files_dir, monkeypatch):
    digest = store.put(files_dir, b"again", OLD)
    replace = Path.replace

    def meanwhile(path, target):
        if path.name == digest:
            store.put(files_dir, b"again", NOW)
            monkeypatch.setattr(Path, "replace", replace)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", meanwhile)
    assert store.sweep(files_dir, lambda _digests: set(), NOW) == []
    assert store.path_of(files_dir, digest).read_bytes() == b"again"


def test_an_empty_folder_has_nothing_to_sweep(files_dir):
    assert store.sweep(files_dir, lambda _digests: set(), NOW) == []
