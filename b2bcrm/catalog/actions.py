"""The only thing of the catalogue that people decide here: sales targets."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.catalog.events import TargetSet
from b2bcrm.catalog.models import SalesTarget
from b2bcrm.catalog.queries import families
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Invalid, NotAllowed
from b2bcrm.kernel.money import MAX_AMOUNT
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work

TARGET_ROLES = frozenset({Role.SALES_MANAGER, Role.ADMIN, Role.SYSTEM})


def set_target(work: Work, *, month: dt.date, family: str, amount: Decimal) -> bool:
    """Set what management wants to book of ``family`` in ``month``; whether it changed.

    ``amount`` in base currency; zero removes the target. Raises Invalid for an unknown family
    or an amount out of range.
    """
    if work.actor.role not in TARGET_ROLES:
        raise NotAllowed(Message("Only a sales manager sets targets."))
    if not amount.is_finite() or amount < 0 or amount >= MAX_AMOUNT:
        raise Invalid(Message("The amount is too large."), code="amount_range")
    if family not in families(work.session):
        raise Invalid(Message("The family %(family)s is not known.", family=family))
    first = month.replace(day=1)
    query = sa.select(SalesTarget).where(SalesTarget.month == first, SalesTarget.family == family)
    row = work.session.scalar(query)
    if amount == (row.amount if row else 0):
        return False
    if row is None:
        row = SalesTarget(month=first, family=family, amount=amount)
        work.session.add(row)
    row.amount = amount
    work.session.flush()  # flush: a new row's id is the event's subject
    if amount == 0:
        work.session.delete(row)
    work.publish(TargetSet(subject_id=row.id, month=first, family=family, amount=amount))
    return True
