"""A small company in a few calls: stock, purchases, work orders, and pure facts for planning."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from b2bcrm.fulfillment import actions
from b2bcrm.fulfillment.models import Operation, PurchaseLine, Stock, WorkOrder
from b2bcrm.kernel.actor import Actor, Role
from tests.factories import make_site

D = Decimal


def day(text: str) -> dt.date:
    """``11-30`` is in 2026, ``01-08`` in 2027."""
    month, number = map(int, text.split("-"))
    return dt.date(2026 if month > 2 else 2027, month, number)


class Plant:
    """Adds the ERP's documents to a Work."""

    def __init__(self, work):
        self.work = work
        self.site = make_site(work)

    def stock(self, item_no, on_hand, allocated=0, site="TC"):
        row = Stock(
            item_no=item_no,
            site_code=site,
            on_hand=D(on_hand),
            allocated=D(allocated),
            as_of=self.work.now,
        )
        return self._add(row)

    def buy(self, no, item_no, qty, due, *, first=None, received=0, ref="", line_no=1, **facts):
        row = PurchaseLine(
            po_no=no,
            line_no=line_no,
            supplier_no="V1",
            supplier_name="Tai-Hung Special Steel",
            site_code="TC",
            item_no=item_no,
            qty=D(qty),
            received_qty=D(received),
            ordered_on=day("11-02"),
            requested_on=day(first or due),
            first_confirmed_on=day(first or due),
            confirmed_on=day(due),
            status="open",
            demand_ref=ref,
            **facts,
        )
        return self._add(row)

    def make(self, no, item_no, qty, start, end, *, ref, status="planned", done=0, steps=()):
        row = WorkOrder(
            no=no,
            item_no=item_no,
            site_code="TC",
            qty=D(qty),
            completed_qty=D(done),
            scrapped_qty=D(0),
            status=status,
            planned_start_on=day(start),
            planned_end_on=day(end),
            first_planned_end_on=day(end),
            actual_start_on=day(start) if status in {"running", "done"} else None,
            actual_end_on=day(end) if status == "done" else None,
            demand_ref=ref,
            operations=[
                Operation(
                    step_no=10 * n,
                    name=station,
                    work_center=center,
                    station=station,
                    status="done" if D(passed) == D(qty) else "waiting",
                    qty_done=D(passed),
                    planned_start_on=day(first),
                    planned_end_on=day(last),
                )
                for n, (station, center, passed, first, last) in enumerate(steps, 1)
            ],
        )
        return self._add(row)

    def _add(self, row):
        self.work.session.add(row)
        self.work.session.flush()
        return row


def look(office):
    """The worker's look, as ``House.sum_figures`` takes it; answers which runs it summed."""
    with office.open(read_only=True) as work:
        found = actions.sum_figures(work)
    for summed in found:
        with office.open() as work:
            actions.keep_figures(work, summed)
    return [summed.run for summed in found]


@pytest.fixture
def plant(work):
    return Plant(work)


@pytest.fixture
def planner(work):
    """The Work as a planner's."""
    work.actor = Actor(name="Chen Wei-Ting", role=Role.PLANNER, user_id=None)
    return work
