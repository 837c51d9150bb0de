"""An ERP that confirms later sends its confirmations to an address of ours."""

from __future__ import annotations

import dataclasses
import shutil

import pytest
import sqlalchemy as sa

from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Refused, not_found
from b2bcrm.kernel.words import Message
from b2bcrm.orders import actions
from b2bcrm.ports.erp import Confirmation, Entity, ErpCannot, ErpRefused, Issue, WriteResult
from b2bcrm.sync import conflicts, inbox, writes
from b2bcrm.sync.inbox import ErpConfirmation
from b2bcrm.sync.writes import Kind, WriteState
from b2bcrm.users import actions as users
from tests.clients import make_app, make_user
from tests.conftest import NOW
from tests.faces import FaceTwin
from tests.factories import make_order

pytestmark = pytest.mark.db
REFUSED = (Issue(code="E7", text="Credit blocked"),)


class Listener:
    """Says what ``raw`` means, as the profile of the connection would."""

    def __init__(self) -> None:
        self.said: list[Confirmation] = []
        self.error: Exception | None = None

    def ingest(self, raw):
        if self.error:
            raise self.error
        return self.said


@pytest.fixture
def erp():
    return Listener()


@pytest.fixture
def post(office, tmp_path, erp):
    return poster(office, tmp_path, erp)


def poster(office, tmp_path, erp):
    def listening(_work, code):
        if code != "main":
            raise not_found(Message("This ERP connection"))
        return erp

    app = make_app(office, tmp_path, listening=listening)

    def send(raw=b"<said/>", *, scopes=("erp:confirm",), role=Role.ERP_ADMIN, code="main"):
        with office.open(make_user(office, role=role).actor()) as work:
            token = users.create_api_token(work, "t", list(scopes))
        return app.test_client().post(
            f"/api/v1/erp/{code}/confirmations",
            data=raw,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "text/xml"},
        )

    return send


@pytest.fixture
def order(office):
    """An order that the ERP has taken in and confirmed."""
    with office.open() as work:
        made = make_order(work, erp_no="70001")
        work.session.flush()
        write = writes.begin(work, f"{made.no}/0", Kind.CREATE, connection="main")
        write.state, write.erp_id = WriteState.DONE, "70001"
        return made


def kept(office):
    with office.open() as work:
        return work.session.scalar(sa.select(sa.func.count()).select_from(ErpConfirmation))


def test_a_confirmation_is_kept_once_however_often_it_comes(post, erp, office):
    erp.said = [Confirmation("m1", "SO-26-1/0", WriteResult(erp_id="7"))]
    assert post().json == {"received": 1, "new": 1}
    assert post().json == {"received": 1, "new": 0}
    assert kept(office) == 1


def test_it_needs_the_scope_and_a_role_that_operates_the_erp(post, erp, office):
    erp.said = [Confirmation("m1", "SO-26-1/0", WriteResult(erp_id="7"))]
    assert post(scopes=("orders:read",)).status_code == 403
    assert post(role=Role.SALES).status_code == 403
    assert kept(office) == 0


def test_what_is_too_large_unknown_or_no_confirmation_is_refused(post, erp, office):
    assert post(b"x" * 300_000).status_code == 413
    assert post(code="none").status_code == 404
    erp.error = ErpRefused(Message("This is no confirmation."))
    assert post().status_code == 422
    erp.error = ErpCannot(Message("This ERP connection cannot do that."))
    assert post().status_code == 409
    erp.error = None
    erp.said = [Confirmation(f"m{n}", "SO-26-1/0", WriteResult("7")) for n in range(501)]
    assert post().status_code == 422
    assert kept(office) == 0


def test_a_refusal_of_what_counted_as_done_is_a_difference_on_the_order(post, erp, office, order):
    erp.said = [Confirmation("m1", f"{order.no}/0", None, REFUSED)]
    post()
    post()
    with office.open() as work:
        (row,) = conflicts.of_order(work.session, order.id)
        assert (row.name, row.theirs) == ("confirmation", "Credit blocked")
        assert inbox.waiting(work.session, f"{order.no}/0", connection="main") is None


def test_such_a_difference_is_sent_again_or_left_and_never_taken_over(post, erp, office, order):
    erp.said = [Confirmation("m1", f"{order.no}/0", None, REFUSED)]
    post()
    with office.open(make_user(office, role=Role.SALES).actor()) as work:
        (row,) = conflicts.of_order(work.session, order.id)
        with pytest.raises(Refused):
            actions.take_theirs(work, order.id, row.id, expected_version=None, promises=None)
        actions.leave_both(work, order.id, row.id, expected_version=None)
        work.session.flush()
        assert list(conflicts.of_order(work.session, order.id)) == []


def test_what_s4_sends_is_kept_by_our_references(office, small_world, tmp_path):
    sap = FaceTwin(shutil.copy(small_world, tmp_path / "s4.sqlite"), "sap-s4", NOW)
    good = sap.draft("SO-26-90001/0")
    bad = dataclasses.replace(sap.draft("SO-26-90002/0"), currency="QQQ")
    sap.gateway.create(good)
    sap.gateway.create(bad)
    post = poster(office, tmp_path, sap.gateway)
    raw = sap.app.face.confirmations()
    assert post(raw).json == {"received": 2, "new": 2}
    assert post(raw).json == {"received": 2, "new": 0}
    with office.open() as work:
        done = inbox.waiting(work.session, good.reference, connection="main")
        refused = inbox.waiting(work.session, bad.reference, connection="main")
        assert sap.gateway.get(Entity.SALES_ORDER, done.erp_id).reference == good.reference
        assert "QQQ" in refused.refused[0]["text"]
    sap.world.close()
