"""From the day goods are ready to the day they count as delivered, and back.

D-terms (DAP, DPU, DDP) deliver at the customer: transit takes calendar days, and the customer
takes goods in on his receiving days only. All other Incoterms 2020 rules used here deliver where
the goods are handed over, on the day they are ready.
"""

from __future__ import annotations

import datetime as dt

from b2bcrm.kernel.calendar import WorkCalendar

_WEEK = 7
_SCAN = 60  # days: longer than any closed season


def at_customer(incoterm: str) -> bool:
    """Whether the rule delivers at the destination (Incoterms 2020, group D)."""
    return incoterm.upper().startswith("D")


def arrival_on(
    ready_on: dt.date, *, incoterm: str, transit_days: int, receiving_days: str = "1111100"
) -> dt.date:
    """The day a delivery counts: ready, or for D-terms taken in by the customer.

    ``receiving_days`` are seven 0/1 digits, Monday first; all zero means every day.
    """
    if not at_customer(incoterm):
        return ready_on
    day = ready_on + dt.timedelta(days=transit_days)
    for _ in range(_WEEK):
        if receiving_days[day.weekday() : day.weekday() + 1] != "0":
            return day
        day += dt.timedelta(days=1)
    return ready_on + dt.timedelta(days=transit_days)


def leave_by(
    promised_on: dt.date,
    *,
    calendar: WorkCalendar,
    incoterm: str,
    transit_days: int,
    receiving_days: str = "1111100",
) -> dt.date:
    """The last working day on which goods can leave and still count by ``promised_on``."""
    day = promised_on
    if at_customer(incoterm):
        day -= dt.timedelta(days=transit_days)
    for _ in range(_SCAN):
        arrives = arrival_on(
            day, incoterm=incoterm, transit_days=transit_days, receiving_days=receiving_days
        )
        if calendar.is_working(day) and arrives <= promised_on:
            return day
        day -= dt.timedelta(days=1)
    return day
