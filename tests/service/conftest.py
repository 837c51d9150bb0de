"""A delivered line, a case on it, and a way to let time pass."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from b2bcrm.kernel.actor import Role
from b2bcrm.service import actions
from b2bcrm.service.lifecycle import CaseKind
from tests.clients import make_app
from tests.factories import buyer, make_account, make_line, make_order, staff

D = Decimal
SERVICE = staff(Role.SERVICE, name="Hsu Jia-Hao")


@pytest.fixture
def account(work):
    return make_account(work)


@pytest.fixture
def order(work, account):
    """Ten ordered, six delivered."""
    line = make_line(work, shipped_qty=D(6), delivered_qty=D(6))
    return make_order(work, account, lines=[line])


@pytest.fixture
def line(order):
    return order.lines[0]


@pytest.fixture
def customer(account):
    return buyer(account)


@pytest.fixture
def as_customer(work, customer):
    """Do something as the customer."""

    def do(act, *args, **facts):
        before, work.actor = work.actor, customer
        try:
            return act(work, *args, **facts)
        finally:
            work.actor = before

    return do


@pytest.fixture
def case(work, line, as_customer):
    """A complaint that the customer opened just now; the actor is the service."""
    work.actor = SERVICE
    return as_customer(
        actions.open_case,
        line.id,
        kind=CaseKind.COMPLAINT,
        subject="Noise at 2,800 rpm",
        text="Two of six get loud.",
        affected_qty=D(2),
    )


@pytest.fixture
def later(work):
    """Let business time pass; tests stay in one Work."""

    def wait(**span):
        work.now += dt.timedelta(**span)

    return wait


@pytest.fixture
def app(office, tmp_path):
    return make_app(office, tmp_path, files_dir=tmp_path / "files")
