"""The order of the design's pictures: Brandt & Kessler, five lines, one waits for ring blanks.

It is an order like any other; only its quantities, dates and the supplier's delay are chosen.
Its dates keep their distance in working days from the day the demo begins.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from b2bcrm.ports.erp import OrderDraft, OrderDraftLine
from connectors.erp.twin import sales
from connectors.erp.twin.calendars import shift
from connectors.erp.twin.company import Firm
from connectors.erp.twin.demand import Arrival
from connectors.erp.twin.dispatch import arrival, leave_by
from connectors.erp.twin.documents import Chain, Doc
from connectors.erp.twin.planning import lay
from connectors.erp.twin.plant import Plant


@dataclass(frozen=True)
class Story:
    """``before`` and ``after``: working days from the order to today, and on to the promise."""

    customer: str = "20417"
    customer_po: str = "4500-77812"
    number: int = 10482
    before: int = 10
    after: int = 20
    slip: int = 6  # of the ring blanks, working days
    late_line: int = 20
    late_by: int = 3  # working days at the customer's door


STORY = Story()
_LINES = (
    (10, "PG-115-10-S2", 40, "612.00"),
    (20, "SW-25-100-U", 60, "1148.00"),
    (30, "BS-R40-20-C5-1480", 24, "1935.00"),
    (40, "LG-35HA-2-1200", 48, "846.00"),
    (50, "KIT-SW25-SEAL", 60, "17.20"),
)
# Stock the planner finds for lines that are ahead, so that nothing needs to be bought for them.
_FROM_STOCK = {
    "HS-PG115": 40, "PC-PG115": 80, "PL-PG115": 80, "SH-PG115": 40, "SEAL-PG115": 80,
    "SC-R40": 24, "NT-R40": 24, "BALL-40": 24, "RL-35": 48, "BK-35": 96, "CAGE-35": 96,
    "CS-25": 64, "XR-25": 60, "GRS-EP2": 20, "GRS-SW4": 20, "GRS-LG2": 20,
}  # fmt: skip


def story_arrival(firm: Firm, today: dt.date) -> Arrival:
    """When the order came."""
    day = firm.days("TC1").add(today.isoformat(), -STORY.before)
    return Arrival(day, "14:48", STORY.customer, typed=False)


def _dates(firm: Firm, base: str) -> tuple[str, int]:
    """Promised day, and the buffer of the late line that makes it late by ``STORY.late_by``.

    Weekends at the customer stretch a delay, so the days are tried around the wanted ones.
    """
    days, site = firm.days("TC1"), firm.buyers[STORY.customer].sites[0]
    found: list[tuple[int, str, int]] = []
    for n, after in enumerate((0, 1, -1, 2, -2)):
        promised = days.add(base, STORY.after + after)
        due = leave_by(site, days, promised)
        for buffer in (4, 3, 5, 2, 1):
            there = arrival(site, days.add(due, STORY.slip - buffer))
            late = days.index(there) - days.index(promised)
            found.append((10 * abs(late - STORY.late_by) + n, promised, buffer))
    _, promised, buffer = min(found, key=lambda row: row[0])
    return promised, buffer


def enter_story(plant: Plant, reference: str, today: dt.date) -> Chain:
    """Enter the order at the plant's present instant and arrange what will happen to it."""
    firm, days = plant.firm, plant.days("TC1")
    buyer = firm.buyers[STORY.customer]
    base = days.add(today.isoformat(), 0)
    promised_on, buffer = _dates(firm, base)
    promised = dt.date.fromisoformat(promised_on)
    for no, qty in _FROM_STOCK.items():
        plant.move(firm.parts[no], qty, 0)
    kit = firm.parts["KIT-SW25-SEAL"]
    plant.move(kit, max(0, 60 - plant.free(kit)), 0)
    chain = sales.accept(plant, OrderDraft(
        reference=reference, customer=buyer.no, customer_po=STORY.customer_po,
        ordered_on=dt.date.fromisoformat(plant.day), currency="EUR", ship_to="01",
        incoterm=buyer.incoterm, incoterm_place=buyer.place, payment_terms=buyer.terms,
        site="TC1", note="Ship complete.",
        lines=tuple(
            OrderDraftLine(
                line_no=no, item=item, qty=Decimal(qty), uom="PCS", unit_price=Decimal(price),
                discount_pct=Decimal(0), requested_on=promised - dt.timedelta(days=4),
                promised_on=promised, customer_po_line=str(no // 10),
                customer_part_no=firm.part_nos.get(item, {}).get(buyer.no, ""),
            )
            for no, item, qty, price in _LINES
        ),
    ), buffers={STORY.late_line: buffer, 40: 0})  # fmt: skip
    order = chain.sales()
    order.truth["early"] = 0
    for doc in chain.works.values():
        doc.truth["slip"] = 0
    for doc in chain.buys.values():
        _on_time(plant, chain, doc)
    _begin(plant, chain, 10, days.add(base, -8), days.add(base, 0))
    _begin(plant, chain, 30, days.add(base, -4), days.add(base, 4))
    due = order.truth["lines"]["40"]["due"]
    _begin(plant, chain, 40, days.add(base, 5), days.add(due, -1))
    _blanks_are_late(plant, chain, base)
    return chain


def _on_time(plant: Plant, chain: Chain, doc: Doc) -> None:
    for no, truth in doc.truth["lines"].items():
        truth["actual"], truth["words"] = truth["first"], []
        plant.schedule(truth["first"], "10:00", chain.root, "receipt", f"{doc.erp_id}|{no}")


def _begin(plant: Plant, chain: Chain, line_no: int, begin: str, end: str) -> None:
    """The planner lets the work order of a line run slowly from ``begin`` to ``end``."""
    days = plant.days("TC1")
    doc = chain.works[chain.sales().truth["lines"][str(line_no)]["works"][0]]
    slow = max(0, days.index(end) - days.index(begin) + 1 - doc.truth["length"])
    doc.truth |= {"latest": begin, "slip": slow, "known": slow}
    lay(plant, chain, doc)
    doc.body["first_planned_end_on"] = doc.body["planned_end_on"]
    plant.schedule(begin, "08:10", chain.root, "start", doc.erp_id)
    plant.schedule(days.add(plant.day, 1), "08:05", chain.root, "release", doc.erp_id)


def _blanks_are_late(plant: Plant, chain: Chain, base: str) -> None:
    """The ring blanks come ``slip`` working days late; the supplier said so yesterday."""
    days = plant.days("TC1")
    for doc in chain.buys.values():
        for row in doc.body["lines"]:
            if row["item"] != "RB-25":
                continue
            spot = f"{doc.erp_id}|{row['line_no']}"
            truth = doc.truth["lines"][str(row["line_no"])]
            truth["actual"] = days.add(truth["first"], STORY.slip)
            truth["words"] = [[days.add(base, -1), truth["actual"]]]
            said = max(days.add(base, -1), shift(plant.day, 1))
            plant.schedule(said, "16:10", chain.root, "word", f"{spot}|0")
            plant.schedule(truth["actual"], "10:00", chain.root, "receipt", spot)
