"""Who hears of what a customer says about his order."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from b2bcrm.customers.models import Account
from b2bcrm.fulfillment.models import OrderCare
from b2bcrm.kernel.actor import STAFF_ROLES
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order
from b2bcrm.users.models import User


def in_charge(work: Work, order: Order) -> User | None:
    """Who is in charge of the order, else its owner, else its account's salesperson.

    One who has left is passed over; None: nobody is known by a login.
    """
    return next((user for user in _asked(work, order) if user is not None and user.active), None)


def _asked(work: Work, order: Order) -> Iterator[User | None]:
    care = work.session.get(OrderCare, order.id)
    account = work.session.get_one(Account, order.account_id)
    for user_id in (care.user_id if care else None, order.owner_id, account.owner_id):
        yield work.session.get(User, user_id) if user_id else None
    if account.sales_rep:  # as the ERP names him
        by_name = sa.select(User).where(
            User.name == account.sales_rep, User.active, User.role.in_(STAFF_ROLES)
        )
        yield work.session.scalars(by_name.order_by(User.id)).first()
