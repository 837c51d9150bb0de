"""The folder of contents: each stored once under its SHA-256, written whole or not at all.

Not here: what a file is called and whose it is (models), and whether it is harmless (kinds).
A content without a row, left by an act that failed, is removed by ``sweep``.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_DIGEST = re.compile(r"[0-9a-f]{64}")
ORPHAN_AGE = dt.timedelta(days=1)
_GONE = ".gone"


def path_of(files_dir: Path, digest: str) -> Path:
    """Where the content with this digest lies."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError("not a SHA-256 digest")
    return files_dir / digest[:2] / digest


def put(files_dir: Path, content: bytes, tick: dt.datetime) -> str:
    """Keep ``content`` safely on disk and return its digest.

    ``tick`` is machine time: a content that is there already becomes as young as a new one, so
    that a sweep which runs meanwhile leaves it alone.
    """
    digest = hashlib.sha256(content).hexdigest()
    path = path_of(files_dir, digest)
    seconds = tick.timestamp()
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size == len(content):
            os.utime(path, (seconds, seconds))
            return digest
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        os.utime(temporary, (seconds, seconds))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return digest


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(
    files_dir: Path, known: Callable[[Iterable[str]], set[str]], tick: dt.datetime
) -> list[str]:
    """Remove contents older than a day for which ``known`` finds no row; returns their digests.

    ``known`` is asked with one folder's digests at a time.
    """
    removed: list[str] = []
    before = (tick - ORPHAN_AGE).timestamp()
    for folder in sorted(p for p in files_dir.glob("??") if p.is_dir()):
        old = dict(_older(folder, before))
        orphans = set(old) - known(name for name in old if _DIGEST.fullmatch(name))
        removed += [name for name in sorted(orphans) if _remove(old[name], before)]
    return removed


def _older(folder: Path, before: float) -> Iterator[tuple[str, Path]]:
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                yield path.name, path


def _remove(path: Path, before: float) -> bool:
    """Take the name away first: whoever stores the same content now writes it anew."""
    aside = path.with_name(path.name.removesuffix(_GONE) + _GONE)
    try:
        path.replace(aside)
        if aside.stat().st_mtime >= before:  # stored again between the look and the removal
            aside.replace(path)
            return False
        aside.unlink()
    except FileNotFoundError:
        return False
    return True
