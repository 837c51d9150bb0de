"""Proposals with what is asked of the ERP, and the customers who would have to be told."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.customers.models import Account
from b2bcrm.fulfillment.models import Proposal, ProposalNotice, ProposalTask, TaskState
from b2bcrm.fulfillment.queries.board import staff_only
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order, OrderLine


class ProposalRow(NamedTuple):
    """A proposal in the list: how many of its tasks are open."""

    id: int
    name: str
    by_name: str
    at: dt.datetime
    tasks: int
    open: int


class NoticeRow(NamedTuple):
    """A line whose customer would have to be told; ``now_on``: what is promised by now."""

    order_no: str
    line_no: int
    account_id: int
    account: str
    language: str
    promised_on: dt.date
    arrives_on: dt.date
    now_on: dt.date | None

    @property
    def told(self) -> bool:
        """Whether the promise was moved since, so that the customer knows."""
        return self.now_on != self.promised_on


def proposals(work: Work) -> list[ProposalRow]:
    """All, the newest first."""
    staff_only(work)
    is_open = sa.func.sum(sa.case((ProposalTask.state == TaskState.OPEN, 1), else_=0))
    query = (
        sa.select(
            Proposal.id,
            Proposal.name,
            Proposal.by_name,
            Proposal.at,
            sa.func.count(ProposalTask.id),
            is_open,
        )
        .join(ProposalTask, ProposalTask.proposal_id == Proposal.id)
        .group_by(Proposal.id)
        .order_by(Proposal.id.desc())
    )
    return [ProposalRow(*row) for row in work.session.execute(query)]


def proposal(work: Work, proposal_id: int) -> Proposal:
    """One with its tasks. Raises NotFound."""
    staff_only(work)
    query = sa.select(Proposal).where(Proposal.id == proposal_id)
    found = work.session.scalars(query.options(selectinload(Proposal.tasks))).one_or_none()
    if found is None:
        raise not_found(Message("This proposal"))
    return found


def notices(work: Work, proposal_id: int) -> list[NoticeRow]:
    """Whom to tell if it is done, by promise."""
    staff_only(work)
    query = (
        sa.select(
            Order.no,
            OrderLine.line_no,
            Account.id,
            Account.name,
            Account.language,
            ProposalNotice.promised_on,
            ProposalNotice.arrives_on,
            OrderLine.promised_on,
        )
        .join(OrderLine, OrderLine.id == ProposalNotice.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Account, Account.id == Order.account_id)
        .where(ProposalNotice.proposal_id == proposal_id)
        .order_by(ProposalNotice.promised_on, Order.no, OrderLine.line_no)
    )
    return [NoticeRow(*row) for row in work.session.execute(query)]
