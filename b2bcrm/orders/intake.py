"""Sales orders as the ERP shows them, met with ours.

Ours are linked and get the ERP's planned dates; a difference in quantity or price is said,
never silently taken over. Orders typed in the ERP become orders like any other: origin ``erp``,
the first promise is the ERP's date as first seen and is never pushed back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account, ErpCustomer, ShipTo
from b2bcrm.customers.queries import erp_customers
from b2bcrm.kernel.numbering import NumberCounter, next_number
from b2bcrm.kernel.organization import Site, rates_on
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import actions, events, queries
from b2bcrm.orders.actions import sides
from b2bcrm.orders.actions.meeting import Book, book, meet
from b2bcrm.orders.lifecycle import ErpSync, OrderState
from b2bcrm.orders.models import Order, OrderLine, Origin
from b2bcrm.ports.erp import Entity, SalesOrder, SalesOrderLine
from b2bcrm.ports.promise import Promising
from b2bcrm.sync.appliers import Applied
from b2bcrm.sync.conflicts import Found, keep_image
from b2bcrm.sync.connections import MAIN

_OURS = re.compile(r"SO-(\d\d)-(\d{5,})")
_STATES = {
    "open": OrderState.CONFIRMED,
    "closed": OrderState.CLOSED,
    "cancelled": OrderState.CANCELLED,
}


@dataclass(frozen=True)
class _Parents:
    """What a page of one connection's orders refers to, looked up once per page."""

    connection: str
    customers: dict[str, ErpCustomer]
    accounts: dict[int, Account]
    items: dict[str, int]
    sites: dict[str, Site]
    ship_tos: dict[tuple[int, int | None, str], int]
    rates: dict[str, Decimal]

    def ship_to(self, customer: ErpCustomer, code: str) -> int | None:
        """The site of that code, the customer's own before one that is nobody's."""
        own = self.ship_tos.get((customer.account_id, customer.id, code))
        return own or self.ship_tos.get((customer.account_id, None, code))


def apply_sales_orders(
    work: Work, records: Sequence[SalesOrder], *, promises: Promising, connection: str = MAIN
) -> Applied:
    """Link, refresh or create; park an order whose customer or item we do not know yet.

    An order that the ERP deleted ends as a cancelled one would; nothing of ours disappears.
    """
    parents = _parents(work, records, connection)
    ours = [_number(r.reference) for r in records if _number(r.reference)]
    erp_nos = [r.erp_id for r in records]
    known, by_no = queries.by_erp_nos(work.session, connection, erp_nos, ours)
    pairs = [(known.get(r.erp_id) or by_no.get(_number(r.reference)), r) for r in records]
    met = book(
        work,
        [(order, record) for order, record in pairs if order is not None],
        connection=connection,
    )
    changed, parked, new, grown = 0, [], [], []
    for record in records:
        number = _number(record.reference)
        order = known.get(record.erp_id) or by_no.get(number)
        if record.deleted:
            changed += _end(work, order, Message("it was deleted there")) if order else 0
            continue
        reason = _obstacle(parents, order, record)
        if reason is not None:
            parked.append((record.erp_id, reason))
        elif order is None:
            order = _open(work, parents, record)
            new.append((record, order))
            known[record.erp_id] = order
            if number:
                by_no[number] = order
        else:
            lines = len(order.lines)
            changed += _refresh(work, met, order, record, promises)
            if len(order.lines) > lines:
                grown.append(order)
    if new:
        _introduce(work, connection, new, promises)
    if grown:
        _first_promises(grown, promises)
    return Applied(changed=changed + len(new), parked=tuple(parked))


def _number(reference: str) -> str:
    return reference.split("/", maxsplit=1)[0] if _OURS.match(reference) else ""


def _amendment(reference: str) -> int:
    """Which amendment of ours the ERP holds."""
    return int(reference.partition("/")[2] or 0) if _number(reference) else 0


def _parents(work: Work, records: Sequence[SalesOrder], connection: str) -> _Parents:
    session = work.session
    customers = erp_customers(work, connection, {r.customer for r in records})
    ids = {row.account_id for row in customers.values()}
    accounts = {a.id: a for a in session.scalars(sa.select(Account).where(Account.id.in_(ids)))}
    items = session.execute(
        sa.select(Item.no, Item.id).where(
            Item.no.in_({line.item for r in records for line in r.lines})
        )
    )
    ship_tos = session.execute(
        sa.select(ShipTo.account_id, ShipTo.erp_customer_id, ShipTo.code, ShipTo.id)
        .where(ShipTo.account_id.in_(ids))
        .order_by(ShipTo.id)
    )
    return _Parents(
        connection=connection,
        customers=customers,
        accounts=accounts,
        items=dict(items.all()),
        sites={site.code: site for site in session.scalars(sa.select(Site).order_by(Site.id))},
        ship_tos={(account_id, whose, code): id_ for account_id, whose, code, id_ in ship_tos},
        rates=rates_on(session, work.today),
    )


def _obstacle(parents: _Parents, order: Order | None, record: SalesOrder) -> Message | None:
    """Why a person must look first, or None. One order of ours never has two ERP numbers."""
    if order is not None and order.erp_connection not in {None, parents.connection}:
        return Message(
            "Our order %(no)s is written to the ERP connection %(code)s.",
            no=order.no,
            code=order.erp_connection,
        )
    if order is not None and order.erp_no not in {None, record.erp_id}:
        return Message(
            "The ERP has our order %(no)s twice: %(one)s and %(other)s.",
            no=order.no,
            one=order.erp_no,
            other=record.erp_id,
        )
    if order is None or order.origin is Origin.ERP:
        return _missing(parents, record)
    return None


def _missing(parents: _Parents, record: SalesOrder) -> Message | None:
    if record.customer not in parents.customers:
        return Message("Customer %(no)s is not known yet.", no=record.customer)
    if record.site not in parents.sites:
        return Message("Site %(no)s is not known yet.", no=record.site)
    for line in record.lines:
        if line.item not in parents.items:
            return Message("Item %(no)s is not known yet.", no=line.item)
    return None


def _open(work: Work, parents: _Parents, record: SalesOrder) -> Order:
    customer, site = parents.customers[record.customer], parents.sites[record.site]
    account = parents.accounts[customer.account_id]
    state = _STATES[record.status]
    order = Order(
        no=_take_number(work, record),
        company_id=site.company_id,
        site_id=site.id,
        account_id=account.id,
        erp_customer_id=customer.id,
        owner_id=account.owner_id,
        ship_to_id=parents.ship_to(customer, record.ship_to),
        origin=Origin.ERP,
        state=state,
        amendment_no=_amendment(record.reference),
        customer_po=record.customer_po,
        currency=record.currency,
        rate=parents.rates.get(record.currency, Decimal(1)),
        incoterm=record.incoterm,
        incoterm_place=record.incoterm_place,
        payment_terms=record.payment_terms,
        partial_delivery=account.partial_delivery,
        ordered_on=record.ordered_on,
        confirmed_at=work.now,
        closed_at=None if state is OrderState.CONFIRMED else work.now,
        erp_sync=ErpSync.ACCEPTED,
        erp_connection=parents.connection,
        erp_no=record.erp_id,
        erp_version=record.version,
        erp_since=work.now,
        changed_at=work.now,
        changed_by="ERP",
        lines=[_line(work, parents, record, line) for line in record.lines],
    )
    order.add_up()
    return order


def _take_number(work: Work, record: SalesOrder) -> str:
    """Our own number where the ERP carries one (a restored database), else a new one."""
    match = _OURS.match(record.reference)
    if match is None:
        return next_number(work.session, "SO", record.ordered_on.year, mark="E")
    year, n = 2000 + int(match[1]), int(match[2])
    counter = work.session.get(NumberCounter, ("SO", year), with_for_update=True)
    if counter is None:
        counter = NumberCounter(series="SO", year=year, last=0)
        work.session.add(counter)
    counter.last = max(counter.last, n)
    return match[0]


def _line(work: Work, parents: _Parents, record: SalesOrder, line: SalesOrderLine) -> OrderLine:
    rest = _rest(record, line, line.qty)
    short = line.shipped_qty > 0 and rest > 0
    return OrderLine(
        line_no=line.line_no,
        item_id=parents.items[line.item],
        unit=line.uom,
        ordered_qty=line.qty,
        unit_price=line.unit_price,
        discount_pct=line.discount_pct,
        requested_on=line.requested_on,
        first_promised_on=line.promised_on,
        promised_on=line.promised_on,
        planned_on=line.planned_on,
        customer_part_no=line.customer_part_no,
        customer_po_line=line.customer_po_line,
        cancelled=rest > 0 and not short,
        short_qty=rest if short else Decimal(0),
        short_at=work.now if short else None,
        short_by="ERP" if short else "",
    )


def _rest(record: SalesOrder, theirs: SalesOrderLine, ordered: Decimal) -> Decimal:
    """How many of ``ordered`` pieces will never come, because the ERP has closed the line."""
    over = record.status == "closed" or theirs.status in {"closed", "cancelled"}
    return max(Decimal(0), ordered - theirs.shipped_qty) if over else Decimal(0)


def _introduce(
    work: Work, connection: str, new: list[tuple[SalesOrder, Order]], promises: Promising
) -> None:
    work.session.add_all(order for _record, order in new)
    work.session.flush()  # flush: events and promises need the ids
    for record, order in new:
        keep_image(
            work,
            Entity.SALES_ORDER.value,
            record.erp_id,
            sides.theirs(record),
            None,
            connection=connection,
        )
        if order.state is OrderState.CONFIRMED:
            work.publish(
                events.OrderSubmitted(
                    subject_id=order.id,
                    order_id=order.id,
                    account_id=order.account_id,
                    no=order.no,
                    origin="erp",
                    source_no=record.erp_id,
                )
            )
    _first_promises([order for _record, order in new], promises)


def _first_promises(orders: Sequence[Order], promises: Promising) -> None:
    promises.record(
        [order.id for order in orders],
        kind="erp_first_seen",
        reason=Message("The ERP's date as first seen"),
    )


def _refresh(work: Work, known: Book, order: Order, record: SalesOrder, promises: Promising) -> int:
    """1 if anything of ours changed. The ERP owns lines only where the order began there."""
    changed = False
    if order.erp_no != record.erp_id:  # accepted, but the answer never reached us
        order.erp_connection, order.erp_no = known.connection, record.erp_id
        actions.known_to_erp(work, order, _amendment(record.reference))
        changed = True
    cancelled = record.status == "cancelled" and order.state is OrderState.CONFIRMED
    if not cancelled:
        changed |= _follow_to_the_end(work, order, record, promises)
    lines = len(order.lines)
    changed |= meet(work, order, record, known, found=Found.CHANGED_THERE)
    if len(order.lines) > lines:
        changed |= _follow_to_the_end(work, order, record, promises)
    if cancelled and order.origin is Origin.ERP:
        order.state, order.closed_at = OrderState.CANCELLED, work.now
        changed = True
    if record.version != order.erp_version and order.erp_sync is ErpSync.ACCEPTED:
        order.erp_version = record.version
    if changed:
        order.add_up()
        order.changed_at, order.changed_by = work.now, "ERP"
        work.bump(f"order:{order.id}")
    return int(changed)


def _follow_to_the_end(work: Work, order: Order, record: SalesOrder, promises: Promising) -> bool:
    """Lines that the ERP closed with less shipped than ordered, or opened again since.

    Only where the ERP holds the order as it now stands: an amendment on its way comes first.
    """
    living = order.state in {OrderState.CONFIRMED, OrderState.CLOSED}
    if order.erp_sync is not ErpSync.ACCEPTED or not living:
        return False
    before = [(line.short_qty, line.cancelled) for line in order.lines]
    for theirs in record.lines:
        ours = order.line(theirs.line_no)
        if ours is None:
            continue
        rest = _rest(record, theirs, ours.ordered_qty)
        if rest > 0 and not ours.cancelled and rest != ours.short_qty:
            actions.close_rest(work, order, ours, rest, promises=promises)
        elif rest == 0 and (ours.short_qty > 0 or ours.cancelled):
            actions.open_rest(work, order, ours)
    if record.status == "open":
        actions.reopen_if_undone(work, order)
    actions.close_if_done(work, order)
    return before != [(line.short_qty, line.cancelled) for line in order.lines]


def _end(work: Work, order: Order, why: Message) -> int:
    """1 if the order was alive: one typed in the ERP ends with it, ours is for a person."""
    if order.state is not OrderState.CONFIRMED:
        return 0
    if order.origin is Origin.ERP:
        order.state, order.closed_at = OrderState.CANCELLED, work.now
        order.changed_at, order.changed_by = work.now, "ERP"
    _say_difference(work, order, why)
    work.bump(f"order:{order.id}")
    return 1


def _say_difference(work: Work, order: Order, what: Message) -> None:
    work.publish(
        events.OrderChangedInErp(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            what=what,
        )
    )
