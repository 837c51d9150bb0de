"""A delivered line, a case on it, a way to let time pass, and two customers for page tests."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from types import SimpleNamespace

import pytest

from b2bcrm.files import actions as files
from b2bcrm.files.kinds import FileKind
from b2bcrm.fulfillment.models import Invoice, Shipment, ShipmentLine
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.service import actions, queries
from b2bcrm.service.lifecycle import CaseKind
from tests.clients import client_for, make_app
from tests.factories import buyer, make_account, make_line, make_order, staff

D = Decimal
SERVICE = staff(Role.SERVICE, name="Hsu Jia-Hao")
PNG = b"\x89PNG\r\n\x1a\n...."


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


def upload(name="photo.png", content=PNG):
    return (io.BytesIO(content), name)


def case_of(office, no):
    with office.open(SERVICE, read_only=True) as work:
        case = queries.by_no(work, no)
        work.session.expunge_all()
        return case


@pytest.fixture
def seeded(app, office):
    """Two customers with a delivered line and a case each; the first one's has a note."""
    found = SimpleNamespace(sides=[])
    with office.open(Actor(name="Grace Wu", role=Role.ADMIN)) as work:
        for n in (1, 2):
            account = make_account(work)
            order = make_order(
                work, account, lines=[make_line(work, shipped_qty=D(6), delivered_qty=D(6))]
            )
            shipment = Shipment(
                no=f"DN-{n}", account_id=account.id, shipped_on=work.today, carrier="DHL"
            )
            shipment.lines = [ShipmentLine(order_line_id=order.lines[0].id, qty=D(6))]
            work.session.add(shipment)
            work.session.add(
                Invoice(
                    no=f"INV-{n}", account_id=account.id, order_id=order.id, currency="EUR",
                    invoiced_on=work.today, due_on=work.today, total=D(100), open_amount=D(40),
                )
            )  # fmt: skip
            work.actor = buyer(account)
            case = actions.open_case(
                work, order.lines[0].id, kind=CaseKind.COMPLAINT,
                subject=f"SUBJECT-OF-{n}", text=f"TEXT-OF-{n}", affected_qty=D(2),
            )  # fmt: skip
            work.actor = SERVICE
            note = actions.note(work, case.id, "CANARY-NOTE")
            files.store(
                work, files_dir=app.extensions["supplies"]["files_dir"], name="CANARY-FILE.png",
                content=PNG, subject=queries.NOTE_FILES, subject_id=note.id,
                kind=FileKind.ATTACHMENT, account_id=account.id, order_id=order.id, internal=True,
            )  # fmt: skip
            quote = files.store(
                work, files_dir=app.extensions["supplies"]["files_dir"], name=f"QUOTE-OF-{n}.pdf",
                content=b"%PDF-1.7", subject="quote", subject_id=n, kind=FileKind.QUOTE,
                account_id=account.id,
            )  # fmt: skip
            found.sides.append(
                SimpleNamespace(
                    account=account, order=order.no, line=order.lines[0].id, case=case.no,
                    id=case.id,
                    version=case.version, quote=quote.id, invoice=f"INV-{n}",
                )
            )  # fmt: skip
    found.mine, found.foreign = found.sides
    found.service = client_for(app, office, Role.SERVICE)
    found.customer = client_for(app, office, Role.BUYER, found.mine.account)
    return found
