"""What happens to material and work orders as time goes on: one function per kind of event.

An event says what may be due; the documents say whether it still is. So an event that was
overtaken (an order cancelled, a date moved) finds nothing to do. Shipping and money are in
``dispatch``.
"""

from __future__ import annotations

from collections.abc import Callable

from connectors.erp.twin import dispatch, sales
from connectors.erp.twin.documents import Chain, Doc
from connectors.erp.twin.planning import line_ready, ready, replan
from connectors.erp.twin.plant import Event, Plant
from connectors.erp.twin.shopfloor import report, take_in

_OVER = {"done", "cancelled"}
_REPORTS = ("11:20", "16:50")  # when the shop floor reports pieces


def _row(chain: Chain, ref: str) -> tuple[Doc, int]:
    no, line = ref.split("|")[:2]
    return chain.buys[no], int(line) - 1


def confirm(plant: Plant, chain: Chain, ref: str) -> None:
    """The supplier gives his first word for every line."""
    doc = chain.buys[ref]
    for row in doc.body["lines"]:
        if row["first_confirmed_on"] is None and doc.body["status"] == "open":
            row["first_confirmed_on"] = doc.truth["lines"][str(row["line_no"])]["first"]
            row["confirmed_on"] = row["first_confirmed_on"]
            replan(plant, chain, row["demand_ref"])
    doc.touch(plant.clock)


def word(plant: Plant, chain: Chain, ref: str) -> None:
    """The supplier changes his word; his first one stays on record."""
    doc, at = _row(chain, ref)
    row, words = doc.body["lines"][at], doc.truth["lines"][str(at + 1)]["words"]
    n = int(ref.rpartition("|")[2])
    if doc.body["status"] != "open" or row["received_on"] or n >= len(words):
        return
    row["confirmed_on"] = words[n][1]
    doc.touch(plant.clock)
    replan(plant, chain, row["demand_ref"])


def receipt(plant: Plant, chain: Chain, ref: str) -> None:
    """Goods come in: to stock, pegged for whom they were bought."""
    doc, at = _row(chain, ref)
    row = doc.body["lines"][at]
    due = doc.truth["lines"][str(at + 1)]["actual"]
    if doc.body["status"] != "open" or row["received_on"] or plant.day < due:
        return
    row["received_qty"], row["received_on"] = row["qty"], plant.day
    if all(line["received_on"] for line in doc.body["lines"]):
        doc.body["status"] = "closed"
    doc.touch(plant.clock)
    part, qty, demand = plant.firm.parts[row["item"]], row["qty"], row["demand_ref"]
    plant.move(part, qty, qty if demand else 0)
    if not demand:
        truth = plant.level(part).truth
        truth["coming"] = max(0, truth["coming"] - qty)
        return
    replan(plant, chain, demand)
    _go_on(plant, chain, demand)


def _go_on(plant: Plant, chain: Chain, demand: str) -> None:
    """What waits for a supply may begin if it was the last one."""
    doc = chain.works.get(demand)
    if doc is None:
        line_no = int(demand.rpartition("/")[2])
        if line_ready(chain, line_no):
            dispatch.line_is_ready(plant, chain, line_no)
    elif ready(chain, doc) and doc.body["status"] not in _OVER:
        begin = max(doc.body["planned_start_on"], plant.day)
        plant.schedule(begin, "08:10", chain.root, "start", doc.erp_id)


def release(plant: Plant, chain: Chain, ref: str) -> None:
    """The work order is handed to the shop floor."""
    doc = chain.works[ref]
    if doc.body["status"] == "planned":
        doc.body["status"] = "released"
        doc.touch(plant.clock)


def start(plant: Plant, chain: Chain, ref: str) -> None:
    """Material is issued and the first operation runs."""
    doc = chain.works[ref]
    body, truth = doc.body, doc.truth
    if body["status"] not in {"planned", "released"} or not ready(chain, doc):
        return
    if plant.day < body["planned_start_on"]:
        plant.schedule(body["planned_start_on"], "08:10", chain.root, "start", ref)
        return
    for item, qty in truth["pegs"]:
        plant.move(plant.firm.parts[item], -qty, -qty)
    for no in truth["subs"]:
        sub = chain.works[no].body
        plant.move(plant.firm.parts[sub["item"]], -sub["qty"], -sub["qty"])
    for no, line in truth["buys"]:
        row = chain.buys[no].body["lines"][line - 1]
        plant.move(plant.firm.parts[row["item"]], -row["qty"], -row["qty"])
    body["status"], body["actual_start_on"] = "running", plant.day
    body["operations"][0]["status"] = "running"
    doc.touch(plant.clock)
    replan(plant, chain, ref)
    days, slip = plant.days(body["site"]), truth["slip"]
    if slip > 0:
        seen = days.add(plant.day, (truth["length"] + slip) // 2)
        plant.schedule(seen, "17:10", chain.root, "reveal", ref)
    plant.schedule(
        days.add(plant.day, truth["length"] + slip - 1), "17:00", chain.root, "done", ref
    )
    plant.schedule(plant.day, _REPORTS[0], chain.root, "progress", ref)


def reveal(plant: Plant, chain: Chain, ref: str) -> None:
    """The shop floor says that the work order takes longer."""
    doc = chain.works[ref]
    if doc.body["status"] == "running":
        doc.truth["known"], doc.dirty = doc.truth["slip"], True
        replan(plant, chain, ref)


def progress(plant: Plant, chain: Chain, ref: str) -> None:
    """Pieces reported per operation; the next report is half a day away."""
    doc = chain.works[ref]
    if doc.body["status"] == "running":
        late = plant.clock >= f"{plant.day}T08:30"  # the afternoon's, in UTC
        report(plant, doc, 1.0 if late else 0.45)
        days = plant.days(doc.body["site"])
        day, clock = (days.add(plant.day, 1), _REPORTS[0]) if late else (plant.day, _REPORTS[1])
        plant.schedule(day, clock, chain.root, "progress", ref)


def done(plant: Plant, chain: Chain, ref: str) -> None:
    """The last piece is finished; what waits for it may go on."""
    doc = chain.works[ref]
    body, truth = doc.body, doc.truth
    if body["status"] != "running":
        return
    days = plant.days(body["site"])
    slip, length = truth["slip"], truth["length"]
    for operation, (_, last) in zip(body["operations"], truth["rows"], strict=True):
        if operation["done_at"] is None:
            over = -(-(last + 1) * (length + slip) // length) - 1
            day = min(plant.day, days.add(body["actual_start_on"], over))
            operation["done_at"] = min(plant.clock, f"{day}T08:50:00.000000+00:00")
        operation["status"], operation["qty_done"] = "done", body["qty"]
    body["status"], body["actual_end_on"] = "done", plant.day
    body["completed_qty"] = body["qty"]
    doc.touch(plant.clock)
    take_in(plant, doc)
    if body["demand_ref"]:
        replan(plant, chain, body["demand_ref"])
        _go_on(plant, chain, body["demand_ref"])


def plan(plant: Plant, chain: Chain, ref: str) -> None:
    """A line of a far date gets its supply."""
    sales.plan_late(plant, chain, int(ref))


def withdraw(plant: Plant, chain: Chain, ref: str) -> None:
    """The customer takes his order back, if nothing has left yet; ``ref`` is his reason."""
    order = chain.sales()
    if order.body["status"] == "open" and not any(
        line["shipped_qty"] for line in order.body["lines"]
    ):
        sales.cancel(plant, chain, ref)


_COURSE: dict[str, Callable[[Plant, Chain, str], None]] = {
    "confirm": confirm,
    "word": word,
    "receipt": receipt,
    "release": release,
    "start": start,
    "reveal": reveal,
    "progress": progress,
    "done": done,
    "ship": dispatch.ship,
    "part": dispatch.ship_part,
    "deliver": dispatch.deliver,
    "invoice": dispatch.invoice,
    "due": dispatch.fall_due,
    "pay": dispatch.pay,
    "plan": plan,
    "withdraw": withdraw,
}


def happen(plant: Plant, event: Event) -> Chain:
    """Live through one event."""
    due, _, root, kind, ref = event
    plant.at(due)
    chain = plant.chain(root)
    _COURSE[kind](plant, chain, ref)
    return chain
