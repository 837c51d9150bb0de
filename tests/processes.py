"""Processes of their own, for tests in which one dies or two race.

They are forked from one that has imported the product already: importing takes two seconds.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any

LIMIT = 240  # seconds; a process that hangs fails its test
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["b2bcrm.bootstrap", "tests.factories", "tests.twins"])


def exit_code(run: Callable[..., None], *arguments: Any) -> int | None:
    """Call ``run`` in a process of its own; the code that it exits with."""
    process = FORKED.Process(target=run, args=arguments, daemon=True)
    process.start()
    process.join(LIMIT)
    return process.exitcode


def together(run: Callable[..., int], each: Sequence[tuple[Any, ...]]) -> list[int]:
    """Call ``run(begin, *arguments)`` in one process for each arguments; what they return.

    ``begin()`` waits until all processes have come to it.
    """
    start, results = FORKED.Barrier(len(each)), FORKED.Queue()
    processes = [
        FORKED.Process(target=_report, args=(run, start, results, arguments), daemon=True)
        for arguments in each
    ]
    for process in processes:
        process.start()
    returned = [results.get(timeout=LIMIT) for _ in processes]
    for process in processes:
        process.join(LIMIT)
    return returned


def _report(run: Callable[..., int], start: Any, results: Any, arguments: tuple[Any, ...]) -> None:
    results.put(run(start.wait, *arguments))
