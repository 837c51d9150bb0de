"""The application over the test's office, for tests of the pages of logins."""

from __future__ import annotations

import pytest

from tests.clients import make_app


@pytest.fixture
def app(office, tmp_path):
    return make_app(office, tmp_path)


@pytest.fixture
def client(app):
    return app.test_client()
