"""Connections: secrets never come back, sending needs a certificate, telling needs a look."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.kernel import outbox
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.errors import Conflict, Invalid, NotAllowed, Refused
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.orders.events import OrderCancelled
from b2bcrm.ports.erp import Entity, ErpConfig
from b2bcrm.sync import connections
from b2bcrm.sync.certificates import CertificateResult
from b2bcrm.sync.connections import ConnectionForm
from b2bcrm.sync.models import ErpConnection, ParkedRow, Writes
from b2bcrm.sync.vault import Vault
from tests.sync.test_certificates import kept

pytestmark = pytest.mark.db
FORM = ConnectionForm(
    code="cn", profile="twin", base_url="https://erp.example", company="FPD-CN", user="crm"
)


@pytest.fixture
def vault():
    return Vault.of("k" * 32, {"ERP_CN": "from the environment"}.get)


class TestSecrets:
    def test_a_typed_secret_is_stored_sealed_and_opens_with_the_same_key_alone(self, work, vault):
        form = dataclasses.replace(FORM, secret="hunter2")
        row = connections.enter(work, form, vault)
        assert "hunter2" not in row.secret
        assert "hunter2" not in repr(form)
        assert vault.open(row.secret) == "hunter2"
        with pytest.raises(ErpConfig, match="another key"):
            Vault.of("x" * 32, {}.get).open(row.secret)

    def test_a_form_without_a_secret_keeps_the_stored_one(self, work, vault):
        connections.enter(work, dataclasses.replace(FORM, secret="hunter2"), vault)
        row = connections.enter(work, dataclasses.replace(FORM, company="FPD-TW"), vault)
        assert (row.company, vault.open(row.secret)) == ("FPD-TW", "hunter2")

    def test_references_are_read_where_they_point(self, vault, tmp_path):
        file = tmp_path / "secret"
        file.write_text("from a file\n")
        assert vault.open("env:ERP_CN") == "from the environment"
        assert vault.open(f"file:{file}") == "from a file"
        for missing in ("env:NO_SUCH", f"file:{tmp_path}/none"):
            with pytest.raises(ErpConfig):
                vault.open(missing)


class TestEntering:
    def test_a_new_connection_sends_nothing_and_tells_nobody(self, work, vault):
        row = connections.enter(work, FORM, vault)
        assert (row.writes, row.notices) == (Writes.OFF, False)

    def test_what_cannot_be_is_refused_with_its_field(self, work, vault):
        for wrong in ({"code": ""}, {"concurrency": 0}, {"quiet": [{"days": "9"}]}):
            with pytest.raises(Invalid):
                connections.enter(work, dataclasses.replace(FORM, **wrong), vault)

    def test_only_who_operates_the_erp_may(self, work, vault):
        work.actor = Actor(name="Mei", role=Role.SALES)
        for act in (
            lambda: connections.enter(work, FORM, vault),
            lambda: connections.switch_writes(work, "cn", Writes.ON),
            lambda: connections.switch_notices(work, "cn", on=True),
        ):
            with pytest.raises(NotAllowed):
                act()

    def test_the_first_one_follows_the_settings_and_keeps_its_switches(self, work):
        row = connections.register_main(work, trusted=True, base_url="http://one")
        work.session.flush()
        again = connections.register_main(work, trusted=False, base_url="http://two")
        assert again is row
        assert (row.base_url, row.writes, row.notices) == ("http://two", Writes.ON, True)


class TestSwitches:
    def test_orders_are_sent_only_after_the_certification(self, work, vault):
        connections.enter(work, FORM, vault)
        connections.get(work, "cn").profile_digest = "p1"
        with pytest.raises(Refused, match="certify"):
            connections.switch_writes(work, "cn", Writes.ON)
        kept(work, CertificateResult.WRITES, digest="p1", connection="cn")
        connections.switch_writes(work, "cn", Writes.ON)
        assert connections.get(work, "cn").writes is Writes.ON
        told = work.session.scalars(sa.select(TimelineEntry.name)).all()
        assert told.count("connection.changed") == 2

    def test_what_customers_would_be_told_is_seen_first_and_then_sent(self, work, vault):
        connections.enter(work, FORM, vault)
        work.session.flush()
        event = OrderCancelled(
            subject_id=1, order_id=1, account_id=1, no="SO-26-1", amendment_no=0, reason="x"
        )
        row = outbox.enqueue(work.session, event, "mail.promise_moved", work.tick)
        row.state, row.target = DeliveryState.DONE, "cn"
        other = outbox.enqueue(work.session, event, "mail.promise_moved", work.tick)
        other.state, other.target = DeliveryState.DONE, "main"  # another ERP's
        work.session.flush()
        seen = connections.untold(work, "cn", work.now - dt.timedelta(days=1))
        assert len(seen) == 1
        with pytest.raises(Conflict, match="list has changed"):
            connections.switch_notices(work, "cn", on=True, go_live_at=work.now, seen=0)
        assert not connections.customers_are_told(work, "cn")
        connections.switch_notices(work, "cn", on=True, go_live_at=work.now, seen=1)
        assert connections.customers_are_told(work, "cn")
        work.session.expire_all()
        assert work.session.get_one(Delivery, row.id).state is DeliveryState.WAITING

    def test_nothing_from_before_the_go_live_is_told(self, work, vault):
        connections.enter(work, FORM, vault)
        work.session.flush()
        later = work.now + dt.timedelta(hours=1)
        assert connections.untold(work, "cn", later) == []

    def test_a_go_live_in_the_future_is_waited_for(self, work, vault):
        connections.enter(work, FORM, vault)
        work.session.flush()
        later = work.now + dt.timedelta(hours=1)
        connections.switch_notices(work, "cn", on=True, go_live_at=later)
        assert not connections.customers_are_told(work, "cn")

    def test_without_any_connection_nothing_is_waited_for(self, work):
        assert connections.customers_are_told(work, "cn")


def test_two_erps_with_the_same_number_are_never_mixed(puller, office, look, count):
    puller.pull(Entity.CUSTOMER)
    puller.pull(Entity.ITEM)
    items = count(Item)
    other = dataclasses.replace(puller, connection="cn")
    with office.open() as work:
        work.session.add(ErpConnection(code="cn"))
    other.ensure_feeds()
    other.pull(Entity.ITEM)
    parked = look(sa.select(ParkedRow).where(ParkedRow.connection_code == "cn"))
    assert "already has" in str(parked.reason)
    assert count(Item) == items
