"""The push of an order's facts to the ERP: prepare, send, record; no transaction in between."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account, ShipTo
from b2bcrm.kernel.errors import CrmError, Refused
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import actions, events, queries
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order
from b2bcrm.ports.erp import (
    Entity,
    ErpGateway,
    ErpOutcomeUnknown,
    OrderDraft,
    OrderDraftLine,
    SalesOrder,
    WriteResult,
)


@dataclass(frozen=True)
class Push:
    """What is to happen in the ERP. ``erp_no`` is empty for an order it does not know yet.

    ``only_look``: our order was cancelled meanwhile, so it is not entered any more; only an
    earlier attempt may have entered it.
    """

    draft: OrderDraft
    erp_no: str
    cancel_reason: str | None = None
    only_look: bool = False


class PushOrder:
    """Sends an order, an amendment or a cancellation; looks the reference up before a resend."""

    name = "erp.push_order"

    def __init__(self, erp: ErpGateway) -> None:
        self.erp = erp

    def prepare(self, work: Work, event: Event) -> Push | None:
        """The draft as it stands now, under the reference of the event's amendment."""
        order = queries.by_id(work, event.subject_id)
        reason = event.reason if isinstance(event, events.OrderCancelled) else None
        if reason is not None and order.erp_no is None:
            return None
        number = getattr(event, "amendment_no", order.amendment_no)
        return Push(
            draft=_draft(work, order, f"{order.no}/{number}"),
            erp_no=order.erp_no or "",
            cancel_reason=reason,
            only_look=order.state is OrderState.CANCELLED and order.erp_no is None,
        )

    def send(self, message: Push, *, again: bool) -> WriteResult | None:
        """One call; after an attempt of unknown outcome the reference is looked up first.

        None: the ERP does not know the order and, being cancelled, it never will.
        """
        draft = message.draft
        done = self._done_before(message) if again else None
        if done is not None:
            return WriteResult(erp_id=done.erp_id, version=done.version)
        if message.only_look:
            return None
        if message.cancel_reason is not None:
            return self.erp.cancel(
                message.erp_no, reference=draft.reference, reason=message.cancel_reason
            )
        if message.erp_no:
            return self.erp.update(message.erp_no, draft)
        return self.erp.create(draft)

    def _done_before(self, message: Push) -> SalesOrder | None:
        """The ERP's order if an earlier attempt got through, though its answer did not."""
        if message.cancel_reason is not None:
            found = self.erp.get(Entity.SALES_ORDER, message.erp_no)
            if isinstance(found, SalesOrder) and found.status == "cancelled":
                return found
            return None
        reference = message.draft.reference
        for found in self.erp.lookup(Entity.SALES_ORDER, "reference", reference):
            if isinstance(found, SalesOrder) and found.reference == reference:
                return found
        return None

    def record(self, work: Work, event: Event, reply: WriteResult | None) -> None:
        """The ERP's number goes on the order."""
        if reply is None:
            actions.unknown_to_erp(work, event.subject_id)
            return
        actions.accepted_by_erp(
            work,
            event.subject_id,
            erp_no=reply.erp_id,
            erp_version=reply.version,
            amendment_no=getattr(event, "amendment_no", 0),
        )

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """The page says waiting since when, unknown, or refused with the reason."""
        actions.not_taken_by_erp(
            work,
            event.subject_id,
            reason=error.message,
            refused=parked,
            unknown=isinstance(error, ErpOutcomeUnknown),
        )


def _draft(work: Work, order: Order, reference: str) -> OrderDraft:
    session = work.session
    account = session.get_one(Account, order.account_id)
    if account.erp_id is None:
        raise Refused(Message("The account has no ERP number yet."), code="no_erp_account")
    ship_to = session.get(ShipTo, order.ship_to_id) if order.ship_to_id else None
    site = session.get_one(Site, order.site_id)
    item_ids = [line.item_id for line in order.lines]
    query = sa.select(Item.id, Item.no).where(Item.id.in_(item_ids))
    item_nos = dict(session.execute(query).all())
    return OrderDraft(
        reference=reference,
        customer=account.erp_id,
        customer_po=order.customer_po,
        ordered_on=order.ordered_on,
        currency=order.currency,
        ship_to=ship_to.code if ship_to else "",
        incoterm=order.incoterm,
        incoterm_place=order.incoterm_place,
        payment_terms=order.payment_terms,
        site=site.code,
        note=order.note,
        lines=tuple(
            OrderDraftLine(
                line_no=line.line_no,
                item=item_nos[line.item_id],
                qty=line.ordered_qty,
                uom=line.unit,
                unit_price=line.unit_price,
                discount_pct=line.discount_pct,
                requested_on=line.requested_on,
                promised_on=line.promised_on or line.requested_on,
                customer_part_no=line.customer_part_no,
                customer_po_line=line.customer_po_line,
            )
            for line in order.lines
            if not line.cancelled
        ),
    )
