"""Whether this process does without compiled kernels, decided before the engine is loaded."""

from __future__ import annotations

from threading import Event

_plain = Event()


def choose_plain() -> None:
    """Run the engine's functions as they are: better some seconds slower than a compiler first.

    For a command that somebody waits for. Without effect once the engine is loaded.
    """
    _plain.set()


def is_plain() -> bool:
    """Whether somebody chose so."""
    return _plain.is_set()
