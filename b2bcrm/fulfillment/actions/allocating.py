"""Keeping supply for a class of customers, and capping what a class gets."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.catalog.queries import item_by_no
from b2bcrm.fulfillment.models import AllocationRule
from b2bcrm.fulfillment.planning.plant import AllocationKind
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Invalid, not_found
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work

TOPIC = "catalog"  # the plan follows it, and allocations are facts of items


def allocate(
    work: Work,
    item_no: str,
    *,
    kind: AllocationKind,
    site_code: str,
    customer_class: str,
    qty: Decimal,
    first_on: dt.date,
    last_on: dt.date,
) -> None:
    """Set a rule from now on; the next plan follows it.

    Raises Invalid on days that cannot be and on a site that there is not.
    """
    work.actor.must(Right.CHANGE_PROMISE)
    item = item_by_no(work, item_no)
    if last_on < max(first_on, work.today):
        text = Message("It has to end on a day to come, and not before it begins.")
        raise Invalid(text, fields={"last_on": text})
    if work.session.scalar(sa.select(Site.id).where(Site.code == site_code)) is None:
        text = Message("%(site)s is no site.", site=site_code)
        raise Invalid(text, fields={"site_code": text})
    work.session.add(
        AllocationRule(
            kind=kind,
            item_no=item.no,
            site_code=site_code,
            customer_class=customer_class,
            qty=qty,
            first_on=first_on,
            last_on=last_on,
            set_by=work.actor.name,
            set_at=work.now,
        )
    )
    work.bump(TOPIC)


def end_allocation(work: Work, item_no: str, rule_id: int) -> None:
    """The rule counts no more; done twice it is done once."""
    work.actor.must(Right.CHANGE_PROMISE)
    row = work.session.get(AllocationRule, rule_id)
    if row is None or row.item_no != item_no:
        raise not_found(Message("This allocation"))
    if row.ended_at is None:
        row.ended_by, row.ended_at = work.actor.name, work.now
        work.bump(TOPIC)
