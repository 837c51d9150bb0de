"""Our order meets the ERP's copy of it: field by field, by the rules of ``sync.ownership``.

The same meeting follows a pull and the read-back of our own write. Nothing agreed is ever
overwritten silently: a difference is taken over where it is the ERP's, read as the ERP's plan,
or opened as a conflict. What we sent ourselves coming back opens nothing: it equals ours, or
what was sealed in the revision that the ERP's reference names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import ShipTo
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import events
from b2bcrm.orders.actions import sides
from b2bcrm.orders.lifecycle import FINAL
from b2bcrm.orders.models import Order, OrderLine, OrderRevision, Origin
from b2bcrm.ports.erp import Entity, SalesOrder, SalesOrderLine
from b2bcrm.sync import conflicts
from b2bcrm.sync.conflicts import ConflictState, ErpConflict, ErpImage, Found
from b2bcrm.sync.ownership import (
    FIELD_WORDS,
    REFUSED_LATE,
    Change,
    Verdict,
    change,
    owner_of,
    text_of,
    verdict,
)

ENTITY = Entity.SALES_ORDER
_TEXTS = frozenset({"customer_po", "incoterm", "incoterm_place", "payment_terms"})


@dataclass(frozen=True)
class Book:
    """What meetings look up, once for a page of orders of one connection."""

    connection: str
    item_nos: Mapping[int, str]
    item_ids: Mapping[str, int]
    ship_to_codes: Mapping[int, str]
    ship_to_ids: Mapping[tuple[int, int | None, str], int]
    images: Mapping[str, ErpImage]
    unsettled: Mapping[str, Mapping[str, ErpConflict]]
    sealed: Mapping[tuple[int, str], OrderRevision]

    def site_of(self, order: Order, code: str) -> int | None:
        """The ship-to of that code: of the order's ERP customer, before one that is nobody's."""
        own = self.ship_to_ids.get((order.account_id, order.erp_customer_id, code))
        return own or self.ship_to_ids.get((order.account_id, None, code))

    def ours(self, order: Order) -> sides.Values:
        """The order as flat texts."""
        ship_to = self.ship_to_codes.get(order.ship_to_id or 0, "")
        return sides.ours(order, self.item_nos, ship_to)


def book(work: Work, pairs: Sequence[tuple[Order, SalesOrder]], *, connection: str) -> Book:
    """Everything that the meetings of these pairs need, in a handful of statements."""
    numbers = {line.item for _order, theirs in pairs for line in theirs.lines}
    erp_ids = [theirs.erp_id for _order, theirs in pairs]
    return _look_up(work, connection, [order for order, _theirs in pairs], numbers, erp_ids)


def book_for(work: Work, order: Order, row: ErpConflict) -> Book:
    """What taking over one difference needs."""
    item = str((row.detail or {}).get("item", row.theirs))
    return _look_up(work, row.connection_code, [order], {item}, [])


def _look_up(
    work: Work,
    connection: str,
    orders: Sequence[Order],
    numbers: set[str],
    erp_ids: Sequence[str],
) -> Book:
    session = work.session
    ids = {line.item_id for order in orders for line in order.lines}
    items = session.execute(
        sa.select(Item.id, Item.no).where(sa.or_(Item.id.in_(ids), Item.no.in_(numbers)))
    ).all()
    sites = session.execute(
        sa.select(ShipTo.id, ShipTo.account_id, ShipTo.erp_customer_id, ShipTo.code).where(
            ShipTo.account_id.in_({order.account_id for order in orders})
        )
    ).all()
    revisions = session.scalars(
        sa.select(OrderRevision).where(OrderRevision.order_id.in_([order.id for order in orders]))
    )
    rows: dict[str, dict[str, ErpConflict]] = {}
    for row in conflicts.unsettled(session, ENTITY.value, erp_ids, connection=connection):
        rows.setdefault(row.erp_id, {})[row.field] = row
    return Book(
        connection=connection,
        item_nos=dict(items),
        item_ids={no: id_ for id_, no in items},
        ship_to_codes={id_: code for id_, _account, _whose, code in sites},
        ship_to_ids={(account, whose, code): id_ for id_, account, whose, code in sites},
        images=conflicts.images(session, ENTITY.value, erp_ids, connection=connection),
        unsettled=rows,
        sealed={(row.order_id, str(row.amendment_no)): row for row in revisions},
    )


def meet(work: Work, order: Order, theirs: SalesOrder, known: Book, *, found: Found) -> bool:
    """Compare, take over what is the ERP's, open or close conflicts, remember what it holds.

    Answers whether the order itself changed.
    """
    shown = sides.theirs(theirs)
    image = known.images.get(theirs.erp_id)
    rows = known.unsettled.get(theirs.erp_id, {})
    revisions = {
        int(no): sides.sealed(row) for (key, no), row in known.sealed.items() if key == order.id
    }
    sent = sides.sent_as(theirs.reference, revisions)
    changed = _plan(order, theirs, sent)
    said: list[Message] = []
    if order.state in FINAL:
        for row in rows.values():
            conflicts.settle(work, row, ConflictState.AGREED)
    else:
        meeting = _Meeting(work, order, theirs, known, rows, found, said)
        changed |= meeting.compare(shown, [image.values if image else {}, *sent])
    conflicts.keep_image(
        work, ENTITY.value, theirs.erp_id, shown, image, connection=known.connection
    )
    for sentence in said:
        work.publish(
            events.OrderChangedInErp(
                subject_id=order.id,
                order_id=order.id,
                account_id=order.account_id,
                no=order.no,
                what=sentence,
            )
        )
    return changed


@dataclass(frozen=True)
class _Meeting:
    """One order and its copy; ``said`` collects the sentences for the timeline."""

    work: Work
    order: Order
    theirs: SalesOrder
    known: Book
    rows: Mapping[str, ErpConflict]
    found: Found
    said: list[Message]

    def compare(self, shown: Mapping[str, str], bases: Sequence[Mapping[str, str]]) -> bool:
        """Each field by its owner's rule; answers whether ours changed.

        ``bases``: what the ERP was seen to hold before, and what we have sent it.
        """
        mine, other = sides.both_sides(self.known.ours(self.order), shown)
        within = self._totals_agree()
        changed = False
        said = self.rows.get(REFUSED_LATE)
        waits = {REFUSED_LATE} if said is not None and said.state is ConflictState.OPEN else set()
        for field in sorted({*mine, *other, *self.rows} - waits):
            told = {base[field] for base in bases if field in base}
            a, b = mine.get(field), other.get(field)
            if field == "total" and within:
                b = a
            changed |= self._field(field, a, b, told)
        return changed

    def _totals_agree(self) -> bool:
        total = self.theirs.total
        return total is None or abs(total - self.order.total) <= sides.tolerance(self.order)

    def _field(self, field: str, ours: str | None, theirs: str | None, told: set[str]) -> bool:
        born_there = self.order.origin is Origin.ERP
        bases: Iterable[str | None] = told or ({ours} if born_there else ())
        moved = change(bases, ours, theirs)
        row = self.rows.get(field)
        if moved is Change.NONE or ours is None or theirs is None:
            if row is not None:
                sent_back = row.state is ConflictState.SENT_BACK
                end = ConflictState.KEPT if sent_back else ConflictState.AGREED
                conflicts.settle(self.work, row, end)
            return False
        owner = owner_of(ENTITY, sides.split(field)[1])
        what = verdict(owner, moved, accepted=True, born_there=born_there)
        if what is Verdict.TAKE:
            detail = self._detail(field)
            take(self.order, field, theirs, self.known, detail)
            self.said.append(difference(field, ours, theirs))
            return True
        if row is not None:
            again = self.found is Found.READ_BACK
            if conflicts.follow(self.work, row, ours=ours, theirs=theirs, asked_again=again):
                self.said.append(difference(field, ours, theirs))
        elif what is Verdict.ASK:
            self._open(field, ours, theirs, told)
            self.said.append(difference(field, ours, theirs))
        return False

    def _open(self, field: str, ours: str, theirs: str, told: set[str]) -> None:
        work, order = self.work, self.order
        line_no, name = sides.split(field)
        conflicts.open_anew(
            work,
            ErpConflict(
                connection_code=self.known.connection,
                entity=ENTITY.value,
                erp_id=self.theirs.erp_id,
                order_id=order.id,
                account_id=order.account_id,
                line_no=line_no,
                field=field,
                owner=owner_of(ENTITY, name),
                found=self.found,
                base=min(told, default=None),
                ours=ours,
                theirs=theirs,
                detail=self._detail(field),
                opened_at=work.now,
                changed_at=work.now,
            ),
        )

    def _detail(self, field: str) -> dict[str, object] | None:
        line_no, name = sides.split(field)
        if name != "line" or line_no is None:
            return None
        return sides.line_detail(self.theirs, line_no)


def take(
    order: Order, field: str, value: str, known: Book, detail: Mapping[str, object] | None
) -> None:
    """Write the ERP's value of a field on our order. KeyError for an item nobody knows."""
    line_no, name = sides.split(field)
    if line_no is None:
        if name in _TEXTS:
            setattr(order, name, value)
        elif name == "ship_to":
            order.ship_to_id = known.site_of(order, value)
        return
    line = order.line(line_no)
    if name == "line":
        _take_line(order, line, line_no, known, detail if value == sides.THERE else None)
    elif line is not None:
        _take_term(line, name, value, known)


def _take_line(
    order: Order,
    line: OrderLine | None,
    line_no: int,
    known: Book,
    detail: Mapping[str, object] | None,
) -> None:
    if detail is None and line is not None:
        line.cancelled = True
    elif detail is not None and line is None:
        item_id = known.item_ids[str(detail["item"])]
        order.lines.append(sides.line_from(detail, line_no, item_id))
    elif line is not None:
        line.cancelled = False


def _take_term(line: OrderLine, name: str, value: str, known: Book) -> None:
    if name == "qty":
        line.ordered_qty = max(Decimal(value), line.short_qty)
    elif name in {"unit_price", "discount_pct"}:
        setattr(line, name, Decimal(value))
    elif name == "requested_on":
        line.requested_on = dt.date.fromisoformat(value)
    elif name == "uom":
        line.unit = value
    elif name == "item":
        line.item_id = known.item_ids[value]


def _plan(order: Order, theirs: SalesOrder, sent: Sequence[Mapping[str, str]]) -> bool:
    """The ERP's own dates. A promise that was moved over there is its plan, never our word."""
    changed = False
    for other in theirs.lines:
        line = order.line(other.line_no)
        if line is None:
            continue
        told = {values.get(f"{other.line_no}.promised_on") for values in sent}
        day = _planned_on(line, other, told)
        if line.planned_on != day:
            line.planned_on = day
            changed = True
    return changed


def _planned_on(line: OrderLine, theirs: SalesOrderLine, sent: set[str | None]) -> dt.date | None:
    ours = text_of(line.promised_on)
    bases = {ours, text_of(line.first_promised_on), *sent}
    moved = change(bases, ours, text_of(theirs.promised_on))
    if verdict(owner_of(ENTITY, "promised_on"), moved, accepted=True) is not Verdict.PLAN:
        return theirs.planned_on
    return max(filter(None, (theirs.planned_on, theirs.promised_on)))


def difference(field: str, ours: str | None, theirs: str | None) -> Message:
    """The difference in words."""
    line_no, name = sides.split(field)
    if name == "status":
        return Message("it was cancelled there")
    if name == "line":
        if theirs == sides.THERE:
            return Message("line %(line)s is new", line=line_no)
        return Message("line %(line)s was cancelled there", line=line_no)
    if line_no is None:
        return Message(
            "%(field)s is %(theirs)s there, %(ours)s here",
            field=FIELD_WORDS[name],
            theirs=theirs or "–",
            ours=ours or "–",
        )
    return Message(
        "line %(line)s, %(field)s: %(theirs)s there, %(ours)s here",
        line=line_no,
        field=FIELD_WORDS[name],
        theirs=theirs or "–",
        ours=ours or "–",
    )
