"""Peak memory of this process, as Linux counts it."""

from __future__ import annotations

from pathlib import Path


def peak_mb() -> float:
    """The most memory this process has held, in MB.

    Not ``getrusage``: what it tells of a child begins with the peak of its parent.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
