"""Firming a peg: a planner gives pieces of a supply to one order line, until it leaves or he
takes them back.

Nothing is told to the ERP: its documents stay as they are. The next plan, seconds later, knows.
"""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.fulfillment.actions import projecting
from b2bcrm.fulfillment.actions.promising import Promises
from b2bcrm.fulfillment.events import PegReleased, SupplyFirmed
from b2bcrm.fulfillment.models import FirmPeg, Reservation
from b2bcrm.fulfillment.planning.firming import Spot, Supply, taken
from b2bcrm.fulfillment.queries.resting import orders_using
from b2bcrm.fulfillment.snapshot import firm
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Invalid, not_found
from b2bcrm.kernel.quantity import check_qty
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries
from b2bcrm.orders.lifecycle import OPEN_ORDERS
from b2bcrm.orders.models import Order, OrderLine

ZERO = Decimal(0)


def free_supplies(work: Work, line: OrderLine) -> list[Supply]:
    """Supplies of the line's item that no firm peg keeps, what is there first."""
    item_no = work.session.get_one(Item, line.item_id).no
    gone, found = taken(firm.take(work)), dict[Spot, Supply]()
    for supply in firm.supplies(work, {item_no}):
        before = found.get(supply.spot, supply._replace(free=-gone.get(supply.spot, ZERO)))
        found[supply.spot] = before._replace(free=before.free + max(ZERO, supply.free))
    free = [supply for supply in found.values() if supply.free > 0]
    return sorted(free, key=lambda supply: (supply.on is not None, supply.on, supply.spot))


def may_firm(work: Work, order: Order, line: OrderLine) -> Decimal:
    """Pieces of the line that are still to leave and neither firm nor reserved."""
    left = line.due_qty - line.shipped_qty
    if line.cancelled or order.state not in OPEN_ORDERS:
        return ZERO
    reserved = sa.select(Reservation.qty).where(
        Reservation.order_ref == order.no,
        Reservation.line_ref == str(line.line_no),
        Reservation.ended_at.is_(None),
    )
    kept = sum((one.qty for one in firm.take(work) if one.line_id == line.id), ZERO)
    return max(ZERO, left - kept - sum(work.session.scalars(reserved), ZERO))


def firm_supply(
    work: Work, line_id: int, *, kind: str, no: str, site: str, qty: Decimal, reason: str
) -> Order:
    """Give ``qty`` pieces of a supply to the line. Raises Invalid where so many are not free, or
    the line does not want so many: what is reserved for it is its own already.
    """
    work.actor.must(Right.CHANGE_PROMISE)
    Promises(work).lock()  # so that two planners cannot give the same pieces away
    line = queries.line_by_id(work, line_id)
    order, reason = line.order, reason.strip()
    if not reason:
        raise _wrong("reason", Message("This field is needed."))
    check_qty(qty, line.unit)
    item_no = work.session.get_one(Item, line.item_id).no
    spot = Spot(kind, no, item_no, site)
    supply = next((one for one in free_supplies(work, line) if one.spot == spot), None)
    if supply is None or qty > supply.free:
        there = supply.free if supply else ZERO
        raise _wrong("qty", Message("Only %(qty)s pieces of it are free.", qty=there))
    wanted = may_firm(work, order, line)
    if qty > wanted:
        raise _wrong("qty", Message("The line can be given %(qty)s more pieces.", qty=wanted))
    work.session.add(
        FirmPeg(
            order_line_id=line.id,
            kind=kind,
            no=no,
            item_no=item_no,
            site_code=site,
            qty=qty,
            reason=reason,
            by_name=work.actor.name,
            at=work.now,
        )
    )
    work.publish(
        SupplyFirmed(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            line_no=line.line_no,
            qty=qty,
            no=no,
            item=item_no,
            reason=reason,
        )
    )
    _look_again(work, order, item_no)
    return order


def release_peg(work: Work, peg_id: int) -> Order:
    """Give the pieces back to whoever the plan gives them to. NotFound once it has ended."""
    work.actor.must(Right.CHANGE_PROMISE)
    peg = work.session.get(FirmPeg, peg_id)
    if peg is None or peg.ended_at is not None:
        raise not_found(Message("This firm peg"))
    line = queries.line_by_id(work, peg.order_line_id)
    peg.ended_at = work.now
    work.publish(
        PegReleased(
            subject_id=line.order_id,
            order_id=line.order_id,
            account_id=line.order.account_id,
            line_no=line.line_no,
            qty=peg.qty,
            no=peg.no,
            item=peg.item_no,
        )
    )
    _look_again(work, line.order, peg.item_no)
    return line.order


def _look_again(work: Work, order: Order, item_no: str) -> None:
    """Dates of the line, and of all that could have had the pieces."""
    projecting.mark_stale(work, orders_using(work, [item_no]))
    projecting.project(work, [order.id])
    work.bump("board")


def _wrong(field: str, message: Message) -> Invalid:
    return Invalid(message, fields={field: message})
