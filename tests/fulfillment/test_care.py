"""Who is in charge of an order in trouble: kept, shown, told, and only by those who plan."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from b2bcrm.customers.models import Touch, TouchKind
from b2bcrm.fulfillment.actions import take_care
from b2bcrm.fulfillment.events import OrderInCare
from b2bcrm.fulfillment.handlers import MailInCare
from b2bcrm.fulfillment.models import OrderCare
from b2bcrm.fulfillment.queries import board
from b2bcrm.fulfillment.queries.board import BoardFilter
from b2bcrm.fulfillment.queries.mornings import morning
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.errors import Invalid, NotAllowed
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.orders.lifecycle import OrderState
from tests.clients import client_for, make_app, make_user
from tests.fulfillment.conftest import Plant
from tests.fulfillment.test_board import troubled
from tests.fulfillment.test_mornings import Box, reader

pytestmark = pytest.mark.db


def test_the_person_in_charge_stands_on_the_board_in_the_report_and_in_the_history(work, plant):
    order = troubled(work, plant)
    anna = reader(work, "anna@formosa.example")
    take_care(work, order.no, user_id=anna.id)
    assert board.rows(work, BoardFilter())[0][0].in_charge == "anna"
    assert morning(work, "en", "https://crm.example").orders[0].in_charge == "anna"
    said = work.session.scalars(
        sa.select(TimelineEntry).where(TimelineEntry.name == "order.in_care")
    ).one()
    assert (said.order_id, str(said.sentence), said.portal_sentence) == (
        order.id,
        f"anna is in charge of {order.no}",
        None,
    )


def test_the_same_person_twice_is_one_fact_and_nothing_to_do_is_said(work, plant):
    order = troubled(work, plant)
    anna = reader(work, "anna@formosa.example")
    take_care(work, order.no, user_id=anna.id)
    with pytest.raises(Invalid):
        take_care(work, order.no, user_id=anna.id, text="  ")
    assert deliveries(work) == 1
    take_care(work, order.no, user_id=None)
    assert work.session.get(OrderCare, order.id) is None


def deliveries(work):
    query = sa.select(sa.func.count()).where(Delivery.handler == "mail.in_care")
    return work.session.scalar(query)


def test_a_comment_is_a_note_on_the_order(work, plant):
    order = troubled(work, plant)
    take_care(work, order.no, user_id=None, text="Supplier calls back on Monday")
    note = work.session.scalars(sa.select(Touch)).one()
    assert (note.order_id, note.kind, note.subject) == (
        order.id,
        TouchKind.NOTE,
        "Supplier calls back on Monday",
    )
    assert deliveries(work) == 0


def test_the_person_is_told_in_his_language_unless_he_took_it_himself(work, plant):
    order = troubled(work, plant)
    anna = reader(work, "anna@formosa.example", locale="zh_Hant")
    take_care(work, order.no, user_id=anna.id)
    handler = MailInCare(Box(), "https://crm.example")

    def told(by_id):
        event = OrderInCare(
            subject_id=order.id, order_no=order.no, user_id=anna.id, person="anna", by_id=by_id
        )
        return handler.prepare(work, OrderInCare.from_json(event.to_json()))

    mail = told(by_id=None)
    assert mail.to == ("anna@formosa.example",)
    assert f"https://crm.example/orders/{order.no}" in mail.html
    assert "承諾交期" in mail.text
    assert told(by_id=None).message_id == mail.message_id
    assert told(by_id=anna.id) is None
    take_care(work, order.no, user_id=None)
    assert told(by_id=None) is None


def test_who_does_not_plan_may_not_and_who_is_no_staff_cannot_be(work, plant):
    order = troubled(work, plant)
    gone = reader(work, "gone@formosa.example", active=False)
    for user_id in (gone.id, 999_999):
        with pytest.raises(Invalid):
            take_care(work, order.no, user_id=user_id)
    anna = reader(work, "anna@formosa.example")
    order.state = OrderState.CLOSED
    with pytest.raises(Invalid):
        take_care(work, order.no, user_id=anna.id)
    work.actor = Actor(name="Mei-Ling Lin", role=Role.SALES)
    with pytest.raises(NotAllowed):
        take_care(work, order.no, user_id=anna.id)


def test_a_planner_assigns_on_the_board_and_comes_back_to_it(office, tmp_path):
    with office.open() as work:
        order = troubled(work, Plant(work))
    anna = make_user(office, Role.PLANNER, name="Anna Chou")
    client = client_for(make_app(office, tmp_path), office, Role.PLANNER)
    assert "Assign…" in client.get("/fulfillment").text
    url = f"/orders/{order.no}/care"
    form = client.get(f"{url}?next=/fulfillment").text
    assert "Anna Chou" in form
    assert f"/orders/{order.no}/lines/10/promise" in form
    done = client.send(f"{url}?next=/fulfillment", user_id=str(anna.id), text="Called Tai-Hung")
    assert (done.status_code, done.location) == (303, "/fulfillment")
    assert "Anna Chou" in client.get("/fulfillment").text
    page = client.get(f"/orders/{order.no}").text
    assert "In charge" in page
    assert "Called Tai-Hung" in page
    assert client.send(url, user_id=str(anna.id)).status_code == 422
    assert client_for(make_app(office, tmp_path), office, Role.SALES).get(url).status_code == 403
