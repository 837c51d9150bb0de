"""Whether this process may compile kernels, decided before the engine is loaded."""

from __future__ import annotations

import os

_PLAIN: list[str] = []


def choose_plain() -> None:
    """Run the engine's functions as they are: better some seconds slower than a compiler first.

    For a command that somebody waits for. Without effect once the engine is loaded.
    """
    _PLAIN.append("chosen")


def is_plain() -> bool:
    """Whether to do without compiled kernels; ``ENGINE=python`` says so for all processes."""
    return bool(_PLAIN) or os.environ.get("ENGINE") == "python"
