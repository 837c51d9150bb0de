"""Kernels: plain functions over arrays, compiled where numba is installed.

The compiled code is kept in a folder named by the digest of all the engine's sources, numba,
Python and the machine's type: numba's own cache does not notice an edit in another file.
``ENGINE=python`` runs the same functions as they are.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar, cast

from b2bcrm.fulfillment.planning.choice import is_plain

F = TypeVar("F", bound=Callable[..., object])

HERE = Path(__file__).resolve().parent
# Decorators run while modules are imported, before any settings could reach them as arguments.
_PLAIN = is_plain() or os.environ.get("ENGINE") == "python"
COMPILED = not _PLAIN and find_spec("numba") is not None


def _cache_folder() -> Path:
    """Where this machine keeps what was compiled from exactly these sources."""
    import numba

    total = hashlib.sha256()
    for path in sorted(HERE.glob("*.py")):
        total.update(path.read_bytes())
    total.update(f"{numba.__version__} {sys.version} {platform.machine()}".encode())
    total.update(platform.processor().encode())
    return Path(os.environ.get("CRM_DATA_DIR", "var")).resolve() / "engine" / total.hexdigest()[:16]


if COMPILED:
    import numba

    # Walks along chains gain nothing from vectors, and looking for them takes compile time.
    for option, value in (
        ("CACHE_DIR", str(_cache_folder())),
        ("LOOP_VECTORIZE", 0),
        ("SLP_VECTORIZE", 0),
    ):
        setattr(numba.config, option, value)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one process of this machine compile; the others then find what it has compiled."""
    if not COMPILED:
        yield
        return
    folder = _cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # the lock goes with the file, or with the process
        yield


def kernel(function: F) -> F:
    """The function compiled on its first call, or itself where nothing compiles."""
    return _compiled(function, inline=False)


def inner(function: F) -> F:
    """A kernel that becomes part of its callers: handing over all arrays would cost more."""
    return _compiled(function, inline=True)


def _compiled(function: F, *, inline: bool) -> F:
    if not COMPILED:
        return function
    # Kernels allocate nothing and live shorter than what they are handed. Counting references to
    # arrays, which numba does at each look into a tuple of them, was four fifths of their time.
    compiled = numba.njit(  # type: ignore[call-overload]
        cache=True, error_model="numpy", forceinline=inline, _nrt=False
    )
    return cast(F, compiled(function))


@inner
def whole(number: int) -> int:
    """The number in 64 bits. A kernel is compiled anew for each kind of number that it is handed,
    for seconds each time: so the large ones are handed this kind only.
    """
    return number + 0
