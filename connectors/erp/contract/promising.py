"""The check of the ERP's own availability."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import Act, Entity, StockLevel
from connectors.erp.contract.findings import Failed, Skipped
from connectors.erp.contract.ground import Ground

IN_DAYS = 30
MUCH = Decimal(1000)


def availability(ground: Ground) -> Message:
    """The ERP's own promise is a date not in the past, and more is never ready sooner."""
    ground.can(Act.AVAILABILITY)
    if not ground.info.can(Entity.STOCK, Act.LIST):
        raise Skipped(Message("No stock is listed, so no item is known to ask for."))
    today = ground.now().date()
    levels = [r for r in ground.listing(Entity.STOCK).records if isinstance(r, StockLevel)]
    if not levels:
        raise Skipped(Message("No stock is listed, so no item is known to ask for."))
    level = max(levels, key=lambda r: r.on_hand)
    on = today + dt.timedelta(days=IN_DAYS)
    few = ground.gateway.availability(level.item, level.site, Decimal(1), on)
    many = ground.gateway.availability(level.item, level.site, MUCH, on)
    if few.on < today or (few.full_on is not None and few.full_on < few.on):
        raise Failed(Message("It promises %(item)s for %(day)s.", item=level.item, day=few.on))
    if few.full_on and many.full_on and many.full_on < few.full_on:
        raise Failed(Message("More of %(item)s is ready sooner than less.", item=level.item))
    return Message("%(item)s: one piece on %(day)s.", item=level.item, day=few.full_on or few.on)
