"""Human numbers are used once; letters go on after Z."""

from __future__ import annotations

import pytest

from b2bcrm.kernel.numbering import next_number, revision_letter


@pytest.mark.db
def test_numbers_of_a_series_count_up_within_their_year(work):
    assert next_number(work.session, "SO", 2026) == "SO-26-00001"
    assert next_number(work.session, "SO", 2026) == "SO-26-00002"
    assert next_number(work.session, "Q", 2026) == "Q-26-0001"
    assert next_number(work.session, "SO", 2027) == "SO-27-00001"
    assert next_number(work.session, "SO", 2026, mark="E") == "SO-26-E0001"


@pytest.mark.parametrize(
    ("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")]
)
def test_after_z_comes_aa(index, letters):
    assert revision_letter(index) == letters
