"""Putting somebody in charge of an order in trouble, and saying something about it."""

from __future__ import annotations

from b2bcrm.customers import actions as customers
from b2bcrm.customers.models import TouchKind
from b2bcrm.fulfillment.events import OrderInCare
from b2bcrm.fulfillment.models import OrderCare
from b2bcrm.kernel.actor import STAFF_ROLES, Right
from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries
from b2bcrm.orders.lifecycle import FINAL
from b2bcrm.orders.models import Order
from b2bcrm.users.models import User


def take_care(work: Work, no: str, *, user_id: int | None, text: str = "") -> Order:
    """Put a person (None: nobody) in charge of an open order, and keep ``text`` as a note on it.

    The person is told, unless he does it himself. What is already so is not done again. Raises
    Invalid where nothing is to be done, or for somebody who cannot be in charge.
    """
    work.actor.must(Right.CHANGE_PROMISE)
    order = queries.by_no(work, no)
    text = text.strip()
    moved = _put_in_charge(work, order, user_id)
    if not moved and not text:
        sentence = Message("Choose another person or write something.")
        raise Invalid(sentence, fields={"text": sentence})
    if text:
        customers.log_touch(
            work, order.account_id, kind=TouchKind.NOTE, subject=text, order_id=order.id
        )
    return order


def _put_in_charge(work: Work, order: Order, user_id: int | None) -> bool:
    row = work.session.get(OrderCare, order.id)
    if user_id == (row.user_id if row else None):
        return False
    if user_id is None:
        work.session.delete(row)
        name = ""
    else:
        user = work.session.get(User, user_id)
        if user is None or not user.active or user.role not in STAFF_ROLES or order.state in FINAL:
            sentence = Message("This person cannot be in charge of the order.")
            raise Invalid(sentence, fields={"user_id": sentence})
        row = row or OrderCare(order_id=order.id)
        row.user_id, row.by_name, row.at = user.id, work.actor.name, work.now
        work.session.add(row)
        name = user.name
    work.publish(
        OrderInCare(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            order_no=order.no,
            user_id=user_id,
            person=name,
            by_id=work.actor.user_id,
        )
    )
    work.bump("board")
    return True
