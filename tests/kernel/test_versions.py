"""Whoever sends a form that was filled in on an old version hears who changed it, and when."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from b2bcrm.kernel.errors import StaleVersion
from b2bcrm.kernel.versions import check_version
from tests.conftest import NOW


def record(**facts):
    return SimpleNamespace(**({"version": 3, "changed_at": NOW, "changed_by": "Grace Wu"} | facts))


@pytest.mark.parametrize("expected", [3, None])
def test_the_present_version_and_no_version_pass(expected):
    check_version(record(), expected, now=NOW)


@pytest.mark.parametrize("expected", [2, 4, 0])
def test_another_version_is_told_who_and_when_in_the_home_zone(expected):
    with pytest.raises(StaleVersion, match="Grace Wu changed this at 09:40"):
        check_version(record(), expected, now=NOW)


def test_what_no_person_changed_was_changed_by_the_erp():
    with pytest.raises(StaleVersion, match="ERP changed this at 09:40"):
        check_version(record(changed_at=None, changed_by=""), 2, now=NOW)
