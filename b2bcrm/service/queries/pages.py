"""What the case's page and the form for a new case show, in a constant number of statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account, Contact
from b2bcrm.files.models import StoredFile
from b2bcrm.files.queries import of_many
from b2bcrm.kernel.actor import Actor
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.matching import holds
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.orders.queries import visible_to as orders_visible_to
from b2bcrm.service.models import Case
from b2bcrm.service.queries.cases import service_calendar, visible_to
from b2bcrm.service.queries.lists import Clocks, read_clocks
from b2bcrm.threads.models import ThreadMessage
from b2bcrm.threads.queries import messages, notes
from b2bcrm.users.models import User

MESSAGE_FILES = "case_message"
NOTE_FILES = "case_note"
_MAX_LINES = 30


@dataclass(frozen=True)
class Entry:
    """One entry of the conversation. ``internal`` ones never leave the house."""

    id: int
    author: str
    at: dt.datetime
    text: str
    internal: bool
    from_customer: bool
    files: Sequence[StoredFile]


@dataclass(frozen=True)
class CasePage:
    """A case with what stands around it. ``entries`` are oldest first."""

    case: Case
    account: Account
    contact: Contact | None
    owner: str | None
    opened_by: str | None
    order: Order | None
    line: OrderLine | None
    item: Item | None
    clocks: Clocks
    entries: Sequence[Entry]


def page(work: Work, no: str) -> CasePage:
    """All of a case that the actor may see; NotFound if absent or another account's."""
    owner, opener = sa.orm.aliased(User), sa.orm.aliased(User)
    row = work.session.execute(
        visible_to(work.actor)
        .join(Account, Account.id == Case.account_id)
        .outerjoin(Contact, Contact.id == Case.contact_id)
        .outerjoin(Order, Order.id == Case.order_id)
        .outerjoin(OrderLine, OrderLine.id == Case.order_line_id)
        .outerjoin(Item, Item.id == OrderLine.item_id)
        .outerjoin(owner, owner.id == Case.owner_id)
        .outerjoin(opener, opener.id == Case.opened_by_id)
        .where(Case.no == no)
        .with_only_columns(Case, Account, Contact, Order, OrderLine, Item, owner.name, opener.name)
        .options(selectinload(Case.pauses))
    ).first()
    if row is None:
        raise not_found(Message("The case"))
    case, account, contact = row[0], row[1], row[2]
    order: Order | None = row[3]  # an old case may have none
    line: OrderLine | None = row[4]
    item: Item | None = row[5]
    owner_name: str | None = row[6]
    opener_name: str | None = row[7]
    calendar = service_calendar(work.session, None if order is None else order.site_id)
    return CasePage(
        case=case,
        account=account,
        contact=contact,
        owner=owner_name,
        opened_by=opener_name,
        order=order,
        line=line,
        item=item,
        clocks=read_clocks(case, calendar, work.now),
        entries=_entries(work, case.id),
    )


def _entries(work: Work, case_id: int) -> list[Entry]:
    written = messages(work, "case", case_id)
    inside = () if work.actor.is_portal else notes(work, "case", case_id)
    files = of_many(
        work, {MESSAGE_FILES: [m.id for m in written], NOTE_FILES: [n.id for n in inside]}
    )
    entries = [
        Entry(
            id=m.id,
            author=m.author,
            at=m.at,
            text=m.text,
            internal=False,
            from_customer=m.from_customer,
            files=files.get((MESSAGE_FILES, m.id), ()),
        )
        for m in written
    ]
    entries += [
        Entry(
            id=n.id,
            author=n.author,
            at=n.at,
            text=n.text,
            internal=True,
            from_customer=False,
            files=files.get((NOTE_FILES, n.id), ()),
        )
        for n in inside
    ]
    return sorted(entries, key=lambda e: (e.at, e.internal, e.id))


@dataclass(frozen=True)
class DeliveredLine:
    """A line on which a case can be opened."""

    id: int
    line_no: int
    order_no: str
    customer_po: str
    ordered_on: dt.date
    account_id: int
    account_name: str
    account_language: str
    item: Item
    unit: str
    delivered_qty: Decimal


def _delivered(actor: Actor) -> sa.Select[OrderLine, Order, Account, Item]:
    visible = orders_visible_to(actor).with_only_columns(Order.id)
    return (
        sa.select(OrderLine, Order, Account, Item)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Account, Account.id == Order.account_id)
        .join(Item, Item.id == OrderLine.item_id)
        .where(OrderLine.delivered_qty > 0, Order.id.in_(visible))
    )


def delivered_line(work: Work, line_id: int) -> DeliveredLine:
    """One delivered line; NotFound if absent, another account's, or not delivered yet."""
    found = work.session.execute(_delivered(work.actor).where(OrderLine.id == line_id)).first()
    if found is None:
        raise not_found(Message("A delivered order line"))
    return _as_line(*found)


def delivered_lines(
    work: Work, *, words: str = "", account_id: int | None = None, order_no: str = ""
) -> list[DeliveredLine]:
    """Delivered lines, the newest orders first; ``words`` in account, order, PO and item."""
    query = _delivered(work.actor)
    if account_id is not None:
        query = query.where(Order.account_id == account_id)
    if order_no:
        query = query.where(Order.no == order_no)
    if words:
        fields = (Account.name, Order.no, Order.customer_po, Item.no, Item.name)
        query = query.where(sa.or_(*(holds(f, words) for f in fields)))
    ordered = query.order_by(Order.ordered_on.desc(), Order.id.desc(), OrderLine.line_no)
    return [_as_line(*row) for row in work.session.execute(ordered.limit(_MAX_LINES))]


def _as_line(line: OrderLine, order: Order, account: Account, item: Item) -> DeliveredLine:
    return DeliveredLine(
        id=line.id,
        line_no=line.line_no,
        order_no=order.no,
        customer_po=order.customer_po,
        ordered_on=order.ordered_on,
        account_id=account.id,
        account_name=account.name,
        account_language=account.language,
        item=item,
        unit=line.unit,
        delivered_qty=line.delivered_qty,
    )


def message_text(session: Session, message_id: int) -> str:
    """The text of one message, for the mail that carries it."""
    return session.get_one(ThreadMessage, message_id).text


def first_message_id(work: Work, case: Case) -> int:
    """The message that a case was opened with: files that came with it belong there."""
    return messages(work, "case", case.id)[0].id
