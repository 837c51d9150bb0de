"""What the shop floor reports: finished pieces per operation of a running work order.

Finished pieces are in stock as soon as they are reported, pegged for whom they are made.
"""

from __future__ import annotations

from connectors.erp.twin.documents import Doc
from connectors.erp.twin.plant import Plant
from connectors.erp.twin.routing import pieces_done


def report(plant: Plant, doc: Doc, share: float) -> None:
    """Set the pieces of every operation as they are after ``share`` of today."""
    body, truth = doc.body, doc.truth
    days = plant.days(body["site"])
    elapsed = days.index(plant.day) - days.index(body["actual_start_on"]) + share
    stretch = (truth["length"] + truth["slip"]) / truth["length"]
    rows = [(int(first), int(last)) for first, last in truth["rows"]]
    changed = False
    for operation, qty in zip(
        body["operations"], pieces_done(rows, body["qty"], elapsed, stretch), strict=True
    ):
        if qty <= operation["qty_done"]:
            continue
        changed = True
        operation["qty_done"] = qty
        operation["status"] = "done" if qty == body["qty"] else "running"
        if qty == body["qty"]:
            operation["done_at"] = plant.clock
    if changed:
        body["completed_qty"] = body["operations"][-1]["qty_done"]
        doc.touch(plant.clock)
        take_in(plant, doc)


def take_in(plant: Plant, doc: Doc) -> None:
    """Put finished pieces into the stock that are not in it yet."""
    body, truth, part = doc.body, doc.truth, plant.firm.parts[doc.body["item"]]
    pegged, fresh = pegged_qty(doc), body["completed_qty"] - truth["received"]
    truth["received"] += fresh
    doc.dirty = True
    plant.move(part, fresh, pegged_qty(doc) - pegged)
    if not body["demand_ref"]:
        level = plant.level(part).truth
        level["coming"] = max(0, level["coming"] - fresh)


def pegged_qty(doc: Doc) -> int:
    """Pieces in stock, or already gone from it, that belong to who they were made for."""
    if not doc.body["demand_ref"]:
        return 0
    wanted: int = doc.body["qty"] - doc.truth.get("surplus", 0)
    return min(wanted, int(doc.truth["received"]))
