"""Proposals: each wish to the ERP is a task, each slip a draft, and nothing moves by it."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from b2bcrm.fulfillment.actions import project
from b2bcrm.fulfillment.events import ScenarioProposed
from b2bcrm.fulfillment.handlers import MailPlanners
from b2bcrm.fulfillment.models import (
    LineProjection,
    Proposal,
    ProposalNotice,
    ProposalTask,
    PurchaseLine,
    TaskState,
)
from b2bcrm.fulfillment.planning.measures import First, Move, text_of
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.orders.models import OrderLine
from b2bcrm.users.models import User
from tests.clients import client_for, make_app, make_user
from tests.factories import make_item, make_line, make_order
from tests.fulfillment.conftest import Plant, day

D = Decimal
pytestmark = pytest.mark.db
PAGE = "/fulfillment/what-if"
SLIP = Move("PO-7", day("12-18"))


@pytest.fixture
def order_no(office):
    """An order that is in time as long as its purchase order is."""
    with office.open() as work:
        item = make_item(work, no="PG-115")
        order = make_order(work, lines=[make_line(work, item)], incoterm="EXW")
        Plant(work).buy("PO-7", "PG-115", 10, "11-25", ref=f"{order.erp_no}/10")
        project(work, [order.id])
        return order.no


@pytest.fixture
def client(office, tmp_path):
    return client_for(make_app(office, tmp_path), office, Role.PLANNER)


def proposed(client, *measures, name="Slip"):
    answer = client.send(f"{PAGE}/propose", m=[text_of(one) for one in measures], name=name)
    assert answer.status_code == 303
    return answer.location


def test_a_proposal_asks_and_drafts_and_moves_nothing(client, office, order_no):
    where = proposed(client, SLIP, First("SO-0/1"))
    with office.open(read_only=True) as work:
        (row,) = work.session.query(Proposal).all()
        (task,) = work.session.query(ProposalTask).all()  # what changes nothing is not asked for
        (notice,) = work.session.query(ProposalNotice).all()
        assert (where, task.measure) == (f"/fulfillment/proposals/{row.id}", text_of(SLIP))
        assert (notice.promised_on, notice.arrives_on) == (day("12-15"), day("12-21"))
        assert work.session.query(LineProjection).one().projected_on == day("11-26")
        assert work.session.query(PurchaseLine).one().confirmed_on == day("11-25")
        assert work.session.query(OrderLine).one().promised_on == day("12-15")
        assert work.session.scalars(sa.select(Delivery.handler)).all() == ["mail.planners"]
    page = client.get(where).text
    assert "PO-7 comes on" in page
    assert order_no in page
    assert "Slip" in client.get("/fulfillment/proposals").text


def test_the_same_proposal_sent_twice_is_one(client, office, order_no):
    assert proposed(client, SLIP) == proposed(client, SLIP, name="Again")
    assert proposed(client, Move("PO-7", day("12-21"))) != proposed(client, SLIP)
    with office.open(read_only=True) as work:
        assert work.session.query(Proposal).count() == 2


def test_the_other_planners_get_a_mail_each_in_his_language(client, office, order_no):
    make_user(office, Role.PLANNER, name="Ito", locale="zh_Hant", email="ito@formosa.example")
    gone = make_user(office, Role.PLANNER, name="Gone", email="gone@formosa.example")
    with office.open() as work:
        work.session.get(User, gone.id).active = False
    proposed(client, SLIP)
    sent = []
    mailer = type("Mailer", (), {"send": lambda _self, mail: sent.append(mail)})()
    handler = MailPlanners(mailer, "https://crm.example")
    with office.open(read_only=True) as work:
        key = work.session.query(Proposal).one().id
        event = ScenarioProposed(subject_id=key, proposal="Slip", tasks=1)
        handler.send(handler.prepare(work, event), again=False)
    (mail,) = sent
    assert mail.to == ("ito@formosa.example",)
    assert "PO-7" in mail.text
    assert "comes on" not in mail.text
    assert f"https://crm.example/fulfillment/proposals/{key}" in mail.text


def test_a_task_is_arranged_or_declined_by_somebody_and_opened_again(client, office, order_no):
    where = proposed(client, SLIP)
    with office.open(read_only=True) as work:
        task = work.session.query(ProposalTask.id).scalar()
    for state in (TaskState.DONE, TaskState.DECLINED, TaskState.OPEN):
        assert client.send(f"{where}/tasks/{task}", state=state.value).status_code == 303
        with office.open(read_only=True) as work:
            row = work.session.get(ProposalTask, task)
            assert row.state is state
            assert bool(row.decided_by) is (state is not TaskState.OPEN)
    assert client.send(f"{where}/tasks/{task}", state="perhaps").status_code == 422
    assert client.send(f"{where}0/tasks/{task}", state="done").status_code == 404


def test_the_draft_leads_to_the_act_that_tells_the_customer(client, office, order_no):
    where = proposed(client, SLIP)
    form = f"/orders/{order_no}/lines/10/promise?next={where}&amp;on=2026-12-21"
    assert form in client.get(where).text
    assert 'value="2026-12-21"' in client.get(form.replace("&amp;", "&")).text
    with office.open() as work:
        work.session.query(OrderLine).update({"promised_on": day("12-21")})
    assert "now promised for" in client.get(where).text


def test_who_may_not_change_promises_may_look_but_not_ask(office, tmp_path, client, order_no):
    where = proposed(client, SLIP)
    service = client_for(make_app(office, tmp_path), office, Role.SERVICE)
    assert service.get(where).status_code == 200
    assert "Arranged in the ERP" not in service.get(where).text
    assert service.send(f"{PAGE}/propose", m=text_of(SLIP), name="x").status_code == 403
    assert "Propose…" not in service.get(f"{PAGE}?m={quote(text_of(SLIP))}").text


def test_nothing_is_proposed_without_a_name_or_anything_to_change(client, office, order_no):
    assert PAGE in proposed(client, SLIP, name=" ")
    assert PAGE in proposed(client, First("SO-0/1"))
    with office.open(read_only=True) as work:
        assert work.session.query(Proposal).count() == 0
