"""Whether this process does without compiled kernels, decided before the engine is loaded."""

from __future__ import annotations

_PLAIN: list[str] = []


def choose_plain(who: str) -> None:
    """Run the engine's functions as they are: better some seconds slower than a compiler first.

    For a command, ``who``, that somebody waits for. Without effect once the engine is loaded.
    """
    _PLAIN.append(who)


def is_plain() -> bool:
    """Whether somebody chose so."""
    return bool(_PLAIN)
