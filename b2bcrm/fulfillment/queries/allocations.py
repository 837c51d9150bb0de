"""Allocation rules as people read them: those of an item, and the caps that an asker meets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple

import sqlalchemy as sa

from b2bcrm.fulfillment.models import AllocationRule
from b2bcrm.fulfillment.planning.plant import Allocation, AllocationKind
from b2bcrm.fulfillment.queries.board import staff_only
from b2bcrm.kernel.work import Work


class RuleRow(NamedTuple):
    """A rule in force, and who set it."""

    id: int
    kind: AllocationKind
    site_code: str
    customer_class: str
    qty: Decimal
    first_on: dt.date
    last_on: dt.date
    set_by: str


def in_force(work: Work) -> tuple[sa.ColumnElement[bool], ...]:
    """That a rule counts today or later."""
    return AllocationRule.ended_at.is_(None), AllocationRule.last_on >= work.today


def rules_of(work: Work, item_no: str) -> list[RuleRow]:
    """Those of an item, by class."""
    staff_only(work)
    rule = AllocationRule
    query = sa.select(
        rule.id, rule.kind, rule.site_code, rule.customer_class, rule.qty, rule.first_on,
        rule.last_on, rule.set_by,
    )  # fmt: skip
    query = query.where(rule.item_no == item_no, *in_force(work))
    rows = work.session.execute(query.order_by(rule.customer_class, rule.first_on, rule.id))
    return [RuleRow._make(row) for row in rows]


def caps(work: Work, item_nos: Collection[str]) -> list[Allocation]:
    """The caps on these items."""
    rule = AllocationRule
    query = sa.select(
        rule.kind, rule.item_no, rule.site_code, rule.customer_class, rule.qty, rule.first_on,
        rule.last_on,
    )  # fmt: skip
    query = query.where(
        rule.item_no.in_(item_nos), rule.kind == AllocationKind.CAP, *in_force(work)
    )
    return [Allocation(*row) for row in work.session.execute(query)]
