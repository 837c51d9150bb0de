"""The supply of an order line: what is taken from stock, made and bought, and when.

``Planner`` schedules backward from the day the line has to leave; where that would begin in the
past it goes forward from today. Each document's truth (how late it will really be) is drawn here
and stays hidden until events show it. ``replan`` moves planned dates when a date below moved.
"""

from __future__ import annotations

import random
from decimal import Decimal
from math import ceil

from b2bcrm.ports.erp import Entity
from connectors.erp.twin.company import Body
from connectors.erp.twin.documents import Chain, Doc
from connectors.erp.twin.parts import CENTER, SUPPLIER, Part, Use
from connectors.erp.twin.plant import Plant
from connectors.erp.twin.routing import spans, work_days

BUFFER = 3  # working days between the end of production and the day of shipping
HORIZON = 65  # working days: what has to leave later than in a quarter is not planned yet
_CLOCKS = ("08:40", "09:20", "10:05", "11:30", "13:15", "14:50", "16:10")


def pieces(use: Use, qty: int) -> int:
    """Whole units of a component for ``qty`` parents, its scrap included."""
    return ceil(use.per * qty * (100 + use.scrap) / 100)


class Planner:
    """Plans for one chain at the plant's present instant. One set of chances per planning."""

    def __init__(self, plant: Plant, chain: Chain, *, rng: random.Random) -> None:
        self.plant = plant
        self.chain = chain
        self.rng = rng
        self._orders: dict[tuple[str, str], Doc] = {}  # this planning's POs by supplier and site
        shock = 3 + min(12, int(2 * rng.paretovariate(1.5))) if rng.random() < 0.012 else 0  # noqa: PLR2004
        self._material, self._capacity = (shock, 0) if rng.random() < 0.6 else (0, shock)  # noqa: PLR2004

    # ------------------------------------------------------------------------------------- lines
    def supply(self, line: Body, qty: int, *, buffer: int = BUFFER) -> None:
        """Plan ``qty`` pieces of an order line on top of what it already has.

        A line that leaves beyond the horizon gets nothing but a day on which to plan it.
        """
        truth = self.chain.sales().truth["lines"][str(line["line_no"])]
        part = self.plant.firm.parts[line["item"]]
        days = self.plant.days(part.site)
        truth.pop("later", None)
        if part.kind == "service" or qty <= 0:
            return
        if truth["due"] > days.add(self.plant.day, HORIZON):
            truth["later"] = days.add(truth["due"], -HORIZON)
            root = self.chain.root
            self.plant.schedule(truth["later"], "08:00", root, "plan", str(line["line_no"]))
            return
        ref = f"{self.chain.root}/{line['line_no']}"
        if self.plant.take(part, qty):
            truth["pegs"].append([part.no, qty])
        elif part.kind == "buy":
            truth["buys"].append(self.buy(part, qty, days.add(truth["due"], -1), ref))
        else:
            need = days.add(truth["due"], -1 - buffer)
            truth["works"].append(self.work(part, qty, need, ref).erp_id)

    def stock_up(self, part: Part) -> None:
        """Plan a lot for the stock."""
        days = self.plant.days(part.site)
        need = days.add(self.plant.day, part.lead + 2)
        level = self.plant.level(part)
        level.truth["coming"] += part.lot
        level.dirty = True
        if part.kind == "buy":
            self.buy(part, part.lot, need, "")
        else:
            self.work(part, part.lot, need, "")

    # ---------------------------------------------------------------------------------- documents
    def work(self, part: Part, qty: int, need: str, ref: str) -> Doc:
        """A work order that should end by ``need``, with all that it consumes."""
        plant, days = self.plant, self.plant.days(part.site)
        rows = spans(part, qty)
        length = work_days(part, qty)
        latest = days.add(need if days.is_working(need) else days.add(need, -1), 1 - length)
        no = plant.number("work")
        doc = plant.make(Entity.WORK_ORDER, no, part.site, self.chain, {
            "item": part.no, "site": part.site, "qty": qty, "completed_qty": 0,
            "scrapped_qty": 0, "status": "planned", "planned_start_on": latest,
            "planned_end_on": need, "first_planned_end_on": need, "actual_start_on": None,
            "actual_end_on": None, "demand_ref": ref,
            "operations": [
                {"step_no": 10 * n, "name": step.name, "work_center": step.center,
                 "station": CENTER[step.center].station, "status": "waiting", "qty_done": 0,
                 "planned_start_on": latest, "planned_end_on": need, "done_at": None}
                for n, step in enumerate(part.steps, 1)
            ],
        }, truth={
            "rows": rows, "length": length, "slip": self._slip(length, ref), "known": 0,
            "latest": latest, "received": 0, "pegs": [], "subs": [], "buys": [],
        })  # fmt: skip
        before = days.add(latest, -1)
        for use in plant.uses(part, latest):
            self._consume(doc, use, pieces(use, qty), before)
        lay(plant, self.chain, doc)
        doc.body["first_planned_end_on"] = doc.body["planned_end_on"]
        release = max(days.add(doc.body["planned_start_on"], -4), plant.day)
        plant.schedule(release, "08:05", self.chain.root, "release", no)
        if ready(self.chain, doc):
            plant.schedule(doc.body["planned_start_on"], "08:10", self.chain.root, "start", no)
        return doc

    def _consume(self, doc: Doc, use: Use, qty: int, before: str) -> None:
        part = self.plant.firm.parts[use.part]
        if self.plant.take(part, qty):
            doc.truth["pegs"].append([part.no, qty])
        elif part.kind == "buy":
            doc.truth["buys"].append(self.buy(part, qty, before, doc.erp_id))
        else:
            doc.truth["subs"].append(self.work(part, qty, before, doc.erp_id).erp_id)

    def buy(self, part: Part, qty: int, need: str, ref: str) -> list[object]:
        """A purchase order line; gives [PO number, line number]."""
        plant, days, rng = self.plant, self.plant.days(part.site), self.rng
        requested = max(days.add(need, 0), days.add(plant.day, 2))
        order = self._orders.get((part.supplier, part.site)) or self._purchase_order(part)
        heard = order.truth["heard"]
        first = max(requested, days.add(plant.day, part.lead))
        late = self._lateness(part)
        actual = max(days.add(first, late) if late else first, days.add(heard, 1))
        line = len(order.body["lines"]) + 1
        order.body["lines"].append({
            "line_no": line, "item": part.no, "qty": qty, "received_qty": 0,
            "requested_on": requested, "first_confirmed_on": None, "confirmed_on": None,
            "received_on": None, "demand_ref": ref,
        })  # fmt: skip
        words: list[list[str]] = []
        if late > 0:
            said = min(max(days.add(first, -rng.randint(1, 8)), days.add(heard, 1)), first)
            if late > 3 and rng.random() < 0.35:  # noqa: PLR2004 - first he hopes, then he knows
                hoped = days.add(first, late // 2)
                words.append([said, hoped])
                said = min(max(days.add(hoped, -rng.randint(1, 3)), days.add(said, 1)), hoped)
            words.append([said, actual])
        order.truth["lines"][str(line)] = {"first": first, "actual": actual, "words": words}
        root, spot = self.chain.root, f"{order.erp_id}|{line}"
        for n, (said, _) in enumerate(words):
            plant.schedule(said, rng.choice(_CLOCKS[:2]), root, "word", f"{spot}|{n}")
        plant.schedule(actual, "10:00", root, "receipt", spot)
        return [order.erp_id, line]

    def _purchase_order(self, part: Part) -> Doc:
        plant, rng = self.plant, self.rng
        supplier = SUPPLIER[part.supplier]
        heard = plant.days(part.site).add(plant.day, rng.randint(1, 3))
        no = plant.number("buy")
        doc = plant.make(Entity.PURCHASE_ORDER, no, part.site, self.chain, {
            "supplier": supplier.code, "supplier_name": supplier.name, "site": part.site,
            "ordered_on": plant.day, "status": "open", "lines": [],
        }, truth={"heard": heard, "lines": {}})  # fmt: skip
        plant.schedule(heard, rng.choice(_CLOCKS), self.chain.root, "confirm", no)
        self._orders[part.supplier, part.site] = doc
        return doc

    # -------------------------------------------------------------------------------------- truth
    def _lateness(self, part: Part) -> int:
        """True delay of a purchase in working days against the supplier's first word."""
        rng, supplier = self.rng, SUPPLIER[part.supplier]
        worse = bool(supplier.worse_from) and self.plant.day >= self.plant.worse_day
        draw = rng.random()
        late = 0
        if draw < supplier.late * (4.0 if worse else 1.0):
            typical = supplier.days * (1.6 if worse else 1.0)
            late = 1 + int(rng.expovariate(1 / typical))
            if rng.random() < 0.15:  # noqa: PLR2004 - the heavy tail
                late += min(20, int(3 * rng.paretovariate(1.5)))
        elif draw > 0.85:  # noqa: PLR2004
            late = -1
        if self._material and rng.random() < 0.6:  # noqa: PLR2004
            late = max(late, self._material)
        return late

    def _slip(self, length: int, ref: str) -> int:
        """True excess of a work order over its planned length, in working days."""
        rng = self.rng
        draw = rng.random()
        if draw < 0.12 and length > 3:  # noqa: PLR2004
            return -1
        slip = 0
        if draw > 0.945:  # noqa: PLR2004
            slip = 1 if draw < 0.97 else 2  # noqa: PLR2004
            if draw > 0.996:  # noqa: PLR2004 - scrap, a broken spindle
                slip = min(15, 2 + int(2 * rng.paretovariate(1.4)))
        if self._capacity and "/" in ref and rng.random() < 0.6:  # noqa: PLR2004
            slip = max(slip, self._capacity)
        return slip


# ------------------------------------------------------------------------------ dates that follow
def ready(chain: Chain, doc: Doc) -> bool:
    """Whether everything a work order or an order line waits for is there."""
    return _ready(chain, doc.truth)


def _ready(chain: Chain, needs: Body) -> bool:
    subs = needs.get("subs") or needs.get("works") or ()
    return all(chain.works[no].body["status"] == "done" for no in subs) and all(
        chain.buys[no].body["lines"][line - 1]["received_on"] for no, line in needs["buys"]
    )


def line_ready(chain: Chain, line_no: int) -> bool:
    """Whether an order line could leave as far as its supply goes."""
    truth = chain.sales().truth["lines"][str(line_no)]
    return "later" not in truth and _ready(chain, truth)


def expected(chain: Chain, needs: Body) -> str:
    """The day on which the last of the supplies is expected; empty if all came from stock."""
    found = ""
    for no in needs.get("subs") or needs.get("works") or ():
        body = chain.works[no].body
        found = max(found, body["actual_end_on"] or body["planned_end_on"])
    for no, line in needs["buys"]:
        row = chain.buys[no].body["lines"][line - 1]
        found = max(found, row["received_on"] or row["confirmed_on"] or row["requested_on"])
    return found


def lay(plant: Plant, chain: Chain, doc: Doc) -> bool:
    """Set planned dates of a work order and its operations; whether its end or start moved."""
    body, truth = doc.body, doc.truth
    days = plant.days(body["site"])
    start = body["actual_start_on"]
    if start is None:
        after = expected(chain, truth)
        start = max(truth["latest"], days.add(plant.day, 0))
        if after:
            start = max(start, days.add(after, 1))
    length, known = truth["length"], truth["known"]
    end = days.add(start, length + known - 1)
    moved = (start, end) != (body["planned_start_on"], body["planned_end_on"])
    body["planned_start_on"], body["planned_end_on"] = start, end
    for operation, (first, last) in zip(body["operations"], truth["rows"], strict=True):
        operation["planned_start_on"] = days.add(start, first * (length + known) // length)
        operation["planned_end_on"] = days.add(
            start, -(-(last + 1) * (length + known) // length) - 1
        )
    return moved


def replan(plant: Plant, chain: Chain, ref: str) -> None:
    """A date under ``ref`` (work order, or order/line) moved: let the dates above follow."""
    doc = chain.works.get(ref)
    if doc is not None:
        if doc.body["status"] in {"done", "cancelled"}:
            return
        if lay(plant, chain, doc):
            doc.touch(plant.clock)
            replan(plant, chain, doc.body["demand_ref"])
    elif ref and chain.order is not None:
        plan_line_date(plant, chain, int(ref.rpartition("/")[2]))


def plan_line_date(plant: Plant, chain: Chain, line_no: int) -> None:
    """The ERP's own ship date of a line: its due day, or one day after its supply."""
    order = chain.sales()
    line, truth = chain.line(line_no), order.truth["lines"][str(line_no)]
    if line["status"] != "open":
        return
    days = plant.days(order.body["site"])
    planned = max(truth["due"], days.add(plant.day, 0))
    if after := expected(chain, truth):
        planned = max(planned, days.add(after, 1))
    if planned != line["planned_on"]:
        line["planned_on"] = planned
        order.touch(plant.clock)


def total(line: Body) -> Decimal:
    """Net value of an order line before rounding."""
    share = (100 - Decimal(line["discount_pct"])) / 100
    return Decimal(line["unit_price"]) * share * int(line["qty"])
