"""Pages over stand-in dates: a draft, a sent quote, its seller and its customer."""

from __future__ import annotations

import pytest

from b2bcrm.kernel.actor import Role
from tests.clients import client_for, make_app
from tests.factories import staff
from tests.quotes.standins import Dates, account_of, make_draft, make_sent


@pytest.fixture
def promises():
    return Dates()


@pytest.fixture
def dates():
    return Dates()


@pytest.fixture
def app(office, tmp_path, dates):
    return make_app(office, tmp_path, promises=lambda _work: dates, files_dir=tmp_path)


@pytest.fixture
def sales(app, office):
    return client_for(app, office, Role.SALES)


@pytest.fixture
def draft(office, dates):
    with office.open(staff(Role.ADMIN)) as work:
        return make_draft(work, dates, lines=2)


@pytest.fixture
def sent(office, dates):
    with office.open(staff(Role.ADMIN)) as work:
        return make_sent(work, dates, lines=2)


@pytest.fixture
def customer(app, office, sent):
    return client_for(app, office, Role.BUYER, account_of(office, sent))
