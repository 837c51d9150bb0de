"""The way from our door to an account's: which day counts as delivered when goods are ready.

Uses the account's usual Incoterm and its first ship-to; a line asked without an account stays
at the day it is ready.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.customers.models import Account, ShipTo
from b2bcrm.customers.receiving import arrival_on, at_customer
from b2bcrm.fulfillment.planning import atp
from b2bcrm.fulfillment.snapshot.pools import calendars
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.work import Work


@dataclass(frozen=True)
class _Place:
    incoterm: str
    transit_days: int = 0
    receiving_days: str = "1111100"
    customer_class: str = ""


@dataclass(frozen=True)
class Ways:
    """Places by account id, calendars by site id."""

    places: dict[int, _Place]
    sites: dict[int, WorkCalendar]

    def arrives(
        self, account_id: int | None, site_id: int, takes: Sequence[atp.Supply], ready_on: dt.date
    ) -> dt.date:
        """The delivery day: what is made or bought leaves on the working day after it is there."""
        place = self.places.get(account_id or 0)
        if place is None:
            return ready_on
        calendar = self.sites[site_id]
        fresh = any(take.kind != atp.STOCK and take.on == ready_on for take in takes)
        leaves_on = calendar.add_days(ready_on, 1 if fresh else 0)
        return arrival_on(
            leaves_on,
            incoterm=place.incoterm,
            transit_days=place.transit_days,
            receiving_days=place.receiving_days,
        )

    def customer_class(self, account_id: int | None) -> str:
        """The account's class; empty where nobody is named."""
        place = self.places.get(account_id or 0)
        return "" if place is None else place.customer_class

    def transit(self, account_id: int | None) -> int:
        """Days on the way that count before delivery, 0 where the rule delivers at our door."""
        place = self.places.get(account_id or 0)
        return place.transit_days if place is not None and at_customer(place.incoterm) else 0


def take(work: Work, account_ids: Iterable[int | None]) -> Ways:
    """The ways to these accounts."""
    ids = {account_id for account_id in account_ids if account_id is not None}
    places: dict[int, _Place] = {}
    query = (
        sa.select(
            Account.id,
            Account.incoterm,
            ShipTo.transit_days,
            ShipTo.receiving_days,
            Account.customer_class,
        )
        .outerjoin(ShipTo, ShipTo.account_id == Account.id)
        .where(Account.id.in_(ids))
        .order_by(Account.id, ShipTo.code)
    )
    for account_id, incoterm, transit_days, receiving_days, one in work.session.execute(query):
        place = _Place(incoterm, transit_days or 0, receiving_days or "1111100", one)
        places.setdefault(account_id, place)
    stored = calendars(work)
    sites = {
        site.id: stored.get(site.calendar_code) or WorkCalendar(site.calendar_code)
        for site in work.session.scalars(sa.select(Site))
    }
    return Ways(places, sites)
