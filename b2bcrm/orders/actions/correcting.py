"""What the ERP refused is put right here and sent again under the same reference.

Quantities, prices and dates are amended as always; here are the head's codes and texts, which
the customer did not bargain about. Each correction is sealed like any other change.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from b2bcrm.customers.models import ShipTo
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Invalid, Refused
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import events
from b2bcrm.orders.actions.erp import send_first
from b2bcrm.orders.actions.life import load, seal, wait_for_erp
from b2bcrm.orders.lifecycle import ErpSync, OrderState
from b2bcrm.orders.models import Order
from b2bcrm.sync.ownership import FIELD_WORDS

TEXTS = ("payment_terms", "incoterm", "incoterm_place", "customer_po")


def correct(
    work: Work, order_id: int, *, expected_version: int | None, changes: Mapping[str, str]
) -> Order:
    """Change codes that the ERP refused. ``changes``: names of TEXTS, or ``ship_to`` (a code)."""
    work.actor.must(Right.ORDER)
    order = load(work, order_id, expected_version)
    if order.erp_sync is not ErpSync.REFUSED or order.state is not OrderState.CONFIRMED:
        raise Refused(Message("The ERP has not refused this order."), code="not_refused")
    said = [_text(order, name, changes[name]) for name in TEXTS if name in changes]
    if "ship_to" in changes:
        said.append(_ship_to(work, order, changes["ship_to"]))
    done = [sentence for sentence in said if sentence is not None]
    if not done:
        raise Invalid(Message("Nothing was changed."))
    what = reduce(lambda a, b: Message("%(first)s, %(second)s", first=a, second=b), done)
    order.amendment_no += 1
    seal(work, order, reason=str(what)[:300])
    work.publish(
        events.OrderCorrected(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            amendment_no=order.amendment_no,
            what=what,
        )
    )
    send_first(work, order)
    wait_for_erp(work, order)
    return order


def _text(order: Order, name: str, value: str) -> Message | None:
    old = getattr(order, name)
    if value.strip() == old:
        return None
    setattr(order, name, value.strip())
    return _changed(name, old, value.strip())


def _ship_to(work: Work, order: Order, code: str) -> Message | None:
    sites = work.session.query(ShipTo).filter_by(account_id=order.account_id)
    known = {site.code: site for site in sites}
    if code not in known:
        text = Message("The account has no such ship-to.")
        raise Invalid(text, fields={"ship_to": text})
    old = next((site.code for site in known.values() if site.id == order.ship_to_id), "")
    if old == code:
        return None
    order.ship_to_id = known[code].id
    return _changed("ship_to", old, code)


def _changed(name: str, old: str, new: str) -> Message:
    return Message(
        "%(field)s %(old)s to %(new)s",
        field=FIELD_WORDS[name],
        old=old or "–",
        new=new or "–",
    )
