"""The API against its own OpenAPI document: generated requests, no 500, answers as described."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    missing_required_header,
    unsupported_method,
)

from b2bcrm.fulfillment.actions import Promises
from b2bcrm.kernel.actor import Role
from b2bcrm.orders.lifecycle import ErpSync, OrderState
from b2bcrm.users import actions as users
from tests.clients import make_app, make_user
from tests.factories import make_order, make_price

pytestmark = pytest.mark.slow


@pytest.fixture
def api(office, tmp_path):
    app = make_app(office, tmp_path, promises=Promises)
    with office.open() as work:
        order = make_order(work, state=OrderState.SUBMITTED, erp_no=None, erp_sync=ErpSync.NONE)
        make_price(work, work.session.merge(make_item_of(work, order)))
    admin = make_user(office, Role.ADMIN)
    with office.open(admin.actor()) as work:
        token = users.create_api_token(work, "t", list(users.SCOPES))
    app.config["TOKEN"] = token
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    # A document says the form of an item number, not which items there are: 422 answers the latter.
    schema.config.checks.positive_data_acceptance.expected_statuses.append("422")
    return schema


def make_item_of(work, order):
    from b2bcrm.catalog.models import Item

    return work.session.get_one(Item, order.lines[0].item_id)


def try_out(operation, token):
    """Generated requests to one operation, each answered as its document says."""

    @given(case=operation.as_strategy())
    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case):
        case.call_and_validate(
            headers={"Authorization": f"Bearer {token}"},
            excluded_checks=[ignored_auth, missing_required_header, unsupported_method],
        )

    check()


def test_every_operation_answers_as_its_document_says(api):
    token, tried = api.app.config["TOKEN"], set()
    for result in api.get_all_operations():
        operation = result.ok()
        try_out(operation, token)
        tried.add(operation.label)
    assert "PATCH /api/v1/orders/{no}/lines/{line_no}" in tried
    assert "POST /api/v1/quotes" in tried
