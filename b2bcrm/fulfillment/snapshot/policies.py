"""The delivery policies of an order's lines, as planning's facts."""

from __future__ import annotations

import datetime as dt

from b2bcrm.fulfillment.planning.plant import Policy
from b2bcrm.orders.models import Order


def latest(order: Order) -> dict[int, dt.date]:
    """The last day on which a line may come, by line id: that of it and of those it leaves with.

    It counts from the promise, without one from the wish. Lines that may come on any day are left
    out.
    """
    groups: dict[str, list[int]] = {}
    last: dict[int, dt.date] = {}
    for line in order.lines:
        if line.cancelled or line.shipped_qty >= line.due_qty:
            continue
        policy = Policy(
            line.leaves_with, line.least_shipment, line.max_late_days, not order.partial_delivery
        )
        wish = line.promised_on or line.requested_on
        groups.setdefault(policy.group(wish) or f"/{line.id}", []).append(line.id)
        if policy.max_late is not None:
            last[line.id] = wish + dt.timedelta(days=policy.max_late)
    found: dict[int, dt.date] = {}
    for ids in groups.values():
        days = [last[one] for one in ids if one in last]
        found |= dict.fromkeys(ids, min(days)) if days else {}
    return found
