"""What the search box finds: documents by number, accounts and items by name, supply by number.

A purchase or work order leads to the customer order it holds up, where there is one. At most six
statements, whatever is found.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from b2bcrm.catalog.queries import search_items
from b2bcrm.customers import queries as customers
from b2bcrm.customers.models import Account
from b2bcrm.desk import links
from b2bcrm.fulfillment.models import PurchaseLine, WorkOrder
from b2bcrm.kernel.matching import holds, starts
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order
from b2bcrm.quotes.models import Inquiry, Quote
from b2bcrm.service.models import Case

FEW, MANY = 5, 40
MIN_LENGTH = 2

KIND_WORDS = {
    "order": Message("Orders"),
    "quote": Message("Quotes"),
    "inquiry": Message("Inquiries"),
    "case": Message("Cases"),
    "account": Message("Accounts"),
    "item": Message("Items"),
    "supply": Message("Purchase and work orders"),
}


@dataclass(frozen=True)
class Hit:
    """One find. ``code`` tells a number from a name; ``language`` is that of ``title``."""

    kind: str
    title: str
    href: str
    under: str | Message = ""
    code: bool = True
    language: str = ""


@dataclass(frozen=True)
class Found:
    """All finds of one text, documents first."""

    text: str
    hits: Sequence[Hit] = ()

    def groups(self) -> list[tuple[Message, list[Hit]]]:
        """The finds by kind, in a fixed order."""
        return [
            (word, found)
            for kind, word in KIND_WORDS.items()
            if (found := [hit for hit in self.hits if hit.kind == kind])
        ]

    @property
    def only(self) -> Hit | None:
        """The one document whose number was typed in full."""
        exact = [h for h in self.hits if h.code and h.title.lower() == self.text.lower()]
        return exact[0] if len(exact) == 1 else None


def find(work: Work, text: str, *, limit: int = FEW, locale: str = "en") -> Found:
    """Everything that ``text`` names; nothing for less than two letters or one Han character."""
    text = " ".join(text.split())
    if len(text) < MIN_LENGTH and text.isascii():
        return Found(text)
    hits = [*_documents(work, text, limit)]
    hits += [
        Hit(
            kind="account",
            title=hit.name,
            href=links.account_url(hit.id),
            under=" · ".join(part for part in (hit.erp_id, hit.country) if part),
            code=False,
        )
        for hit in customers.search(work, text, limit=limit)
    ]
    hits += [
        Hit(
            kind="item",
            title=hit.no,
            href=links.item_url(hit.no),
            under=" · ".join(part for part in (hit.name_in(locale), hit.customer_part_no) if part),
        )
        for hit in search_items(work, text, sellable_only=False, limit=limit)
    ]
    hits += _supply(work, text, limit)
    return Found(text, hits)


_URLS = {
    "order": links.order_url,
    "quote": links.quote_url,
    "inquiry": links.inquiry_url,
    "case": links.case_url,
}


def _documents(work: Work, text: str, limit: int) -> list[Hit]:
    """Orders, quotes, inquiries and cases in one statement."""
    kinds = (
        (
            "order",
            Order,
            Order.customer_po,
            sa.or_(
                holds(Order.no, text), starts(Order.erp_no, text), holds(Order.customer_po, text)
            ),
        ),
        ("quote", Quote, Quote.customer_po, sa.and_(Quote.current, holds(Quote.no, text))),
        (
            "inquiry",
            Inquiry,
            Inquiry.subject,
            sa.or_(holds(Inquiry.no, text), holds(Inquiry.subject, text)),
        ),
        (
            "case",
            Case,
            Case.subject,
            sa.or_(holds(Case.no, text), holds(Case.subject, text), holds(Case.serial_nos, text)),
        ),
    )
    parts = [
        _part(work, text, kind, model, detail=detail, where=where, limit=limit)
        for kind, model, detail, where in kinds
    ]
    rows = work.session.execute(sa.union_all(*(sa.select(part) for part in parts)))
    return [
        Hit(
            kind=kind,
            title=number,
            href=_URLS[kind](number),
            under=" · ".join(piece for piece in (account, detail) if piece),
        )
        for kind, number, detail, account in rows
    ]


def _part(
    work: Work,
    text: str,
    kind: str,
    model: Any,
    *,
    detail: Any,
    where: sa.ColumnElement[bool],
    limit: int,
) -> sa.Subquery:
    exact = sa.case(
        (sa.func.lower(model.no) == text.lower(), 0), (starts(model.no, text), 1), else_=2
    )
    return (
        sa.select(
            sa.cast(sa.literal(kind), sa.String(10)).label("kind"),
            model.no.label("no"),
            detail.label("detail"),
            Account.name.label("account"),
        )
        .join(Account, Account.id == model.account_id)
        .where(where, Account.id.in_(customers.visible_ids(work.actor)))
        .order_by(exact, model.id.desc())
        .limit(limit)
        .subquery(kind)
    )


def _supply(work: Work, text: str, limit: int) -> list[Hit]:
    """Purchase and work orders with the customer order at the top of their chain."""
    purchase = _chained(PurchaseLine.po_no, PurchaseLine, text, limit, PurchaseLine.confirmed_on)
    made = _chained(WorkOrder.no, WorkOrder, text, limit, WorkOrder.planned_end_on)
    rows = work.session.execute(sa.union_all(sa.select(purchase), sa.select(made))).all()
    tops = {row.top.partition("/")[0] for row in rows if row.top}
    held = {}
    if tops:
        query = sa.select(Order.erp_no, Order.no, Account.name).join(
            Account, Account.id == Order.account_id
        )
        held = {
            erp_no: (number, name)
            for erp_no, number, name in work.session.execute(query.where(Order.erp_no.in_(tops)))
        }
    hits: dict[str, Hit] = {}
    for row in rows:
        order = held.get((row.top or "").partition("/")[0])
        hits.setdefault(row.no, _supply_hit(row.no, row.item_no, row.due_on, order))
    return list(hits.values())[:limit]


def _supply_hit(
    number: str, item_no: str, due_on: dt.date | None, order: tuple[str, str] | None
) -> Hit:
    if order is None:
        under = Message("%(item)s, for stock", item=item_no)
        return Hit(kind="supply", title=number, href=links.item_url(item_no), under=under)
    facts = {"item": item_no, "order": order[0], "account": order[1]}
    if due_on is None:
        under = Message("%(item)s for %(order)s, %(account)s", **facts)
    else:
        under = Message("%(item)s for %(order)s, %(account)s, due %(day)s", **facts, day=due_on)
    return Hit(kind="supply", title=number, href=links.order_url(order[0]), under=under)


def _chained(number: Any, model: Any, text: str, limit: int, due: Any) -> sa.Subquery:
    """Rows whose number begins with ``text``; ``top`` follows at most three work orders upwards."""
    first, second, third = aliased(WorkOrder), aliased(WorkOrder), aliased(WorkOrder)
    top = sa.func.coalesce(third.demand_ref, second.demand_ref, first.demand_ref, model.demand_ref)
    exact = sa.case((sa.func.lower(number) == text.lower(), 0), else_=1)
    return (
        sa.select(
            number.label("no"),
            model.item_no.label("item_no"),
            due.label("due_on"),
            top.label("top"),
        )
        .outerjoin(first, first.no == model.demand_ref)
        .outerjoin(second, second.no == first.demand_ref)
        .outerjoin(third, third.no == second.demand_ref)
        .where(holds(number, text))
        .order_by(exact, model.id.desc())
        .limit(limit)
        .subquery()
    )
