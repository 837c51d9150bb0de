"""Two customers with everything an account can have, for tests that walk over all pages.

Account A is "ours" in a test, account B the foreign one: every text of B carries ``FOREIGN``.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from flask import Flask

from b2bcrm import bootstrap
from b2bcrm.catalog.models import SalesTarget
from b2bcrm.fulfillment import actions as fulfillment
from b2bcrm.fulfillment.actions import Promises
from b2bcrm.fulfillment.actions.proposals import propose
from b2bcrm.fulfillment.actions.scenarios import save_scenario
from b2bcrm.fulfillment.models import ProposalTask
from b2bcrm.fulfillment.planning.measures import Move
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Office, Work
from b2bcrm.ports.erp import Entity
from b2bcrm.ports.mail import Attachment, Mail
from b2bcrm.sync.models import (
    DriftNotice,
    Envelope,
    ErpConnection,
    Feed,
    GuardStop,
    ParkedRow,
    QuarantinedRow,
    RunOutcome,
    SyncRun,
    Threat,
)
from connectors.mail.folder import FolderMailer, list_mails, read_mail
from tests.clients import make_app, make_user
from tests.conftest import NOW
from tests.databases import create_with_schema
from tests.factories import make_site
from tests.world_sides import FOREIGN, PNG, Side, deliver, make, make_masters, sell, serve, talk


@dataclass
class World:
    """Both sides, and what belongs to nobody."""

    office: Office
    folder: Path
    a: Side
    b: Side
    feed: int = 0
    run: int = 0
    envelope: int = 0
    delivery: int = 0
    question: int = 0
    notice: int = 0
    held: int = 0
    scenario: int = 0
    proposal: int = 0
    task: int = 0
    mail_key: str = ""

    def app(self, **supplies: Any) -> Flask:
        """The whole application over this world."""
        mail = self.folder / "mail"
        caught = SimpleNamespace(
            list_mails=functools.partial(list_mails, mail),
            read_mail=functools.partial(read_mail, mail),
        )
        given = {
            "promises": Promises,
            "files_dir": self.folder / "files",
            "mailer": FolderMailer(mail, "sales@formosa.example"),
            "caught_mail": caught,
        }
        return make_app(self.office, self.folder, **(given | supplies))


def database(server_url: str, name: str) -> sa.Engine:
    """A database of its own with the whole schema, committed for real."""
    return make_engine(create_with_schema(server_url, name))


@contextmanager
def real_office(server_url: str, name: str) -> Iterator[Office]:
    """An Office as in production, with the pinned clock."""
    engine = database(server_url, name)
    try:
        yield Office(engine=engine, clock=pinned(NOW), routes=bootstrap.ROUTES)
    finally:
        engine.dispose()


def found_company(office: Office) -> None:
    """Our own company and plant, and nothing else: what ``users create-admin`` finds."""
    with office.open(Actor(name="Grace Wu", role=Role.ADMIN)) as work:
        make_site(work)


def two_accounts(office: Office, folder: Path) -> World:
    """Make both sides, and what the ERP monitor and the mail folder show."""
    found_company(office)
    staff = make_user(office, Role.ADMIN, name="Grace Wu").actor()
    world = World(office, folder, Side("OWNA4"), Side(FOREIGN))
    for side in (world.a, world.b):
        with office.open(staff) as work:
            make_masters(work, side)
        name, email = f"Jonas {side.tag}", f"jonas.{side.tag.lower()}@kunde.example"
        user = make_user(office, Role.BUYER_ADMIN, account_id=side.account, name=name, email=email)
        side.buyer = user.actor()
        with office.open(staff) as work:
            sell(work, side)
        with office.open(staff) as work:
            make(work, side)
        with office.open(staff) as work:
            deliver(work, side)
            serve(work, side, folder / "files")
            talk(work, side)
            fulfillment.project_all(work)
    with office.open(staff) as work:
        _erp(work, world)
    _scenario(world)
    _mail(world)
    return world


def _erp(work: Work, world: World) -> None:
    now = work.now
    work.session.add(ErpConnection(code="main", product="Twin", last_ok_at=now))
    feeds = [
        Feed(connection_code="main", entity=entity.value, next_at=now, data_as_of=now,
             last_ok_at=now, watermark=now, rows_total=12)
        for entity in Entity
    ]  # fmt: skip
    work.session.add_all(feeds)
    work.session.flush()
    run = SyncRun(feed_id=feeds[0].id, started_at=now, finished_at=now, rows_read=12,
                  outcome=RunOutcome.COMPLETE)  # fmt: skip
    envelope = Envelope(connection_code="main", at=now, correlation_id="c-1",
                        operation="ListItems", status=200,
                        seconds_ms=12, request="<a><b/></a>", reply="<a/>")  # fmt: skip
    parked = ParkedRow(connection_code="main", entity=Entity.SALES_ORDER.value, erp_id="E9",
                       reason=Message("The item %(item)s is not known.", item="X"),
                       first_at=now, last_at=now)  # fmt: skip
    month = dt.date(2026, 12, 1)
    target = SalesTarget(month=month, family="PG", amount=Decimal(1_000_000))
    question = GuardStop(feed_id=feeds[0].id, threat=Threat.CHANGE, count=60, known=100,
                         sample=["E9"], asked_at=now)  # fmt: skip
    known = {"connection_code": "main", "entity": Entity.ITEM.value, "first_at": now,
             "last_at": now}  # fmt: skip
    notice = DriftNotice(**known, path="currency", kind="unknown", sample="unknown: 'NTD'")
    held = QuarantinedRow(**known, erp_id="E8", path="currency", reason="unknown: 'NTD'")
    work.session.add_all([run, envelope, parked, target, question, notice, held])
    work.session.flush()
    delivery = work.session.scalars(sa.select(Delivery).order_by(Delivery.id)).first()
    assert delivery is not None
    world.feed, world.run, world.envelope = feeds[0].id, run.id, envelope.id
    world.delivery = delivery.id
    world.question, world.notice, world.held = question.id, notice.id, held.id


def _scenario(world: World) -> None:
    """A planner's, shared with all staff and proposed."""
    owner = make_user(world.office, Role.PLANNER, name="Chen Wei-Ting")
    with world.office.open(owner.actor()) as work:
        measures = [Move("PO-1", dt.date(2026, 12, 1))]
        world.scenario = save_scenario(work, "Expedite", measures, shared=True)
        world.proposal = propose(work, "Expedite", measures, [])
        world.task = work.session.scalars(sa.select(ProposalTask.id)).one()


def _mail(world: World) -> None:
    folder = world.folder / "mail"
    FolderMailer(folder, "sales@formosa.example").send(
        Mail(
            to=("anna@kunde.example",),
            subject="Good morning",
            text="Good morning",
            html="<p>Good morning</p>",
            message_id="walk-mail",
            attachments=(Attachment("a.png", "image/png", PNG),),
        )
    )
    world.mail_key = list_mails(folder)[0].key
