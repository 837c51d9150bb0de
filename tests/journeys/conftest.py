"""Fixtures of the journeys: a demo company per journey, a browser, and people in front of it."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browser import People, chromium
from tests.journeys.company import Company

SEES_WITHIN_MS = 20_000  # the worker looks every second, an open page every two
expect.set_options(timeout=SEES_WITHIN_MS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    company = item.funcargs.get("company") if hasattr(item, "funcargs") else None
    if report.failed and company is not None:
        report.sections.append(("the company's logs", company.logs()))
    return report


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """A small demo company, built once in a run by the product's own command."""
    folder = tmp_path_factory.getbasetemp().parent / f"built-{testrun_uid}"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other worker waits and finds it
        if not folder.exists():
            building = folder.with_suffix(".part")
            building.mkdir()
            Company(building).crm("reset", "--size", "small")
            building.rename(folder)
    return folder


@pytest.fixture
def company(built: Path, tmp_path: Path) -> Iterator[Company]:
    """The company, running, with data of this journey's own."""
    company = Company(Path(shutil.copytree(built, tmp_path / "data")))
    try:
        company.open()
        yield company
    finally:
        company.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def people(browser: Browser, company: Company) -> Iterator[People]:
    """People at their browsers; a script fault or a 5xx that any of them meets is a failure."""
    people = People(browser, company.url)
    yield people
    people.close()
    assert people.errors == []
