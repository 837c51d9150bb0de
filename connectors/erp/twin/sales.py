"""Sales orders come in, change and are cancelled: checks first, then supply is planned.

A refusal changes nothing. Codes of ``TwinRefusal`` are the twin's own words; the SOAP server
sends them as they are.
"""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

from b2bcrm.ports.erp import Available, Entity, OrderDraft, OrderDraftLine
from connectors.erp.twin.company import HOME_SITE, Body
from connectors.erp.twin.dispatch import leave_by, line_is_ready, order_value, ship_to, value
from connectors.erp.twin.documents import Chain, Doc
from connectors.erp.twin.parts import Part
from connectors.erp.twin.people import RATES
from connectors.erp.twin.planning import BUFFER, Planner, line_ready, plan_line_date, replan
from connectors.erp.twin.plant import Plant
from connectors.erp.twin.shopfloor import pegged_qty

_HEADER = ("customer_po", "ship_to", "incoterm", "incoterm_place", "payment_terms")
_LINE = ("uom", "customer_part_no", "customer_po_line")
_MAX_QTY = 100_000


class TwinRefusal(Exception):
    """The twin says no. ``field`` and ``line_no`` say to what, where that is known."""

    def __init__(self, code: str, text: str, field: str = "", line_no: int | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.field = field
        self.line_no = line_no


def check(plant: Plant, draft: OrderDraft) -> None:
    """Raise ``TwinRefusal`` for the first thing in a draft that cannot be taken."""
    buyer = plant.firm.buyers.get(draft.customer)
    if buyer is None:
        raise TwinRefusal("unknown_customer", f"Customer {draft.customer} does not exist.",
                          "customer")  # fmt: skip
    if plant.customers[buyer.no].body["credit_hold"]:
        raise TwinRefusal("customer_blocked", f"Customer {buyer.no} is blocked.", "customer")
    if draft.currency not in RATES:
        raise TwinRefusal("unknown_currency", f"Currency {draft.currency} is not set up.",
                          "currency")  # fmt: skip
    if draft.site not in HOME_SITE.values():
        raise TwinRefusal("unknown_site", f"Site {draft.site} does not exist.", "site")
    if draft.ship_to and draft.ship_to not in {site.code for site in buyer.sites}:
        raise TwinRefusal("unknown_ship_to", f"Ship-to {draft.ship_to} does not exist.", "ship_to")
    check_terms(draft.payment_terms)
    if not draft.lines:
        raise TwinRefusal("no_lines", "The order has no lines.", "lines")
    seen: set[int] = set()
    for line in draft.lines:
        _check_line(plant, line)
        if line.line_no in seen:
            raise TwinRefusal("duplicate_line", f"Line {line.line_no} comes twice.", "line_no",
                              line.line_no)  # fmt: skip
        seen.add(line.line_no)


def check_terms(terms: str) -> None:
    """Raise ``TwinRefusal`` for payment terms that are not set up."""
    if not (terms.startswith("NET") and terms[3:].isdecimal() and len(terms) <= 6):  # noqa: PLR2004
        raise TwinRefusal("unknown_terms", f"Payment terms {terms} are not set up.",
                          "payment_terms")  # fmt: skip


def _check_line(plant: Plant, line: OrderDraftLine) -> None:
    part, no = plant.firm.parts.get(line.item), line.line_no
    if part is None:
        raise TwinRefusal("unknown_item", f"Item {line.item} does not exist.", "item", no)
    if not part.sellable:
        raise TwinRefusal("item_not_sold", f"Item {line.item} is not sold.", "item", no)
    if line.qty != line.qty.to_integral_value() or not 0 < line.qty <= _MAX_QTY:
        raise TwinRefusal("invalid_quantity", "The quantity must be a whole number from 1 to "
                          f"{_MAX_QTY}.", "qty", no)  # fmt: skip
    if line.uom != part.uom:
        raise TwinRefusal("unknown_unit", f"Item {line.item} is kept in {part.uom}.", "uom", no)
    if line.unit_price < 0 or not 0 <= line.discount_pct <= 100:  # noqa: PLR2004
        raise TwinRefusal("invalid_price", "Price or discount is out of range.", "unit_price", no)
    if not dt.date(2024, 1, 1) < min(line.requested_on, line.promised_on):
        raise TwinRefusal("invalid_date", "The date is too far back.", "promised_on", no)
    if max(line.requested_on, line.promised_on) > dt.date(2034, 12, 31):
        raise TwinRefusal("invalid_date", "The date is too far ahead.", "promised_on", no)


def available(plant: Plant, item: str, site: str, qty: Decimal, on: dt.date) -> Available:
    """Free stock of an item by ``on``; what is missing takes its lead time from today."""
    part = plant.firm.parts.get(item)
    if part is None or (site and site != part.site):
        raise TwinRefusal("unknown_item", f"Item {item} does not exist at {site}.", "item")
    free = qty if part.kind == "service" else Decimal(max(0, plant.free(part)))
    days = plant.days(part.site)
    made_on = dt.date.fromisoformat(days.add(plant.day, 0 if free >= qty else part.lead))
    return Available(min(free, qty), on, max(on, made_on))


def accept(
    plant: Plant,
    draft: OrderDraft,
    *,
    buffers: dict[int, int] | None = None,
    no: str = "",
) -> Chain:
    """Enter a checked draft as a sales order and plan its supply. ``buffers`` per line number."""
    buyer = plant.firm.buyers[draft.customer]
    no = no or plant.number("order")
    chain = plant.chains[no] = Chain(no)
    rng = random.Random(f"{plant.firm.seed}/{no}")
    early = rng.choices((0, 1, 2, 3), (60, 20, 13, 7))[0]
    order = plant.make(Entity.SALES_ORDER, no, draft.site, chain, {
        "reference": draft.reference, "customer": draft.customer,
        "customer_po": draft.customer_po, "ordered_on": draft.ordered_on.isoformat(),
        "currency": draft.currency, "ship_to": draft.ship_to or buyer.sites[0].code,
        "incoterm": draft.incoterm, "incoterm_place": draft.incoterm_place,
        "payment_terms": draft.payment_terms, "status": "open", "site": draft.site, "lines": [],
    }, truth={
        "partial": buyer.partial, "early": early, "note": draft.note, "lines": {},
    })  # fmt: skip
    planner = Planner(plant, chain, rng=rng)
    for line in draft.lines:
        _add_line(plant, order, line)
        buffer = (buffers or {}).get(line.line_no, BUFFER)
        planner.supply(chain.line(line.line_no), int(line.qty), buffer=buffer)
        _settle_line(plant, chain, line.line_no)
    for line in draft.lines:
        _go(plant, chain, line.line_no)
    plant.owe(buyer.no, order_value(order))
    return chain


def _add_line(plant: Plant, order: Doc, line: OrderDraftLine) -> None:
    body: Body = {
        "line_no": line.line_no, "item": line.item, "qty": int(line.qty), "planned_on": None,
        "shipped_qty": 0, "invoiced_qty": 0, "status": "open",
    }  # fmt: skip
    order.truth["lines"][str(line.line_no)] = {"pegs": [], "works": [], "buys": [], "billed": "0"}
    order.body["lines"].append(body)
    _write_line(plant, order, body, line)


def _write_line(plant: Plant, order: Doc, body: Body, line: OrderDraftLine) -> None:
    body |= {name: getattr(line, name) for name in _LINE} | {
        "unit_price": str(line.unit_price), "discount_pct": str(line.discount_pct),
        "requested_on": line.requested_on.isoformat(), "promised_on": line.promised_on.isoformat(),
    }  # fmt: skip
    site = ship_to(plant.firm.buyers[order.body["customer"]], order.body["ship_to"])
    days = plant.days(order.body["site"])
    due = leave_by(site, days, body["promised_on"])
    order.truth["lines"][str(line.line_no)]["due"] = max(due, days.add(plant.day, 1))


def _settle_line(plant: Plant, chain: Chain, line_no: int) -> None:
    """Planned date of a line whose supply or promise was just set."""
    chain.sales().truth["lines"][str(line_no)].pop("ready_on", None)
    plan_line_date(plant, chain, line_no)


def _go(plant: Plant, chain: Chain, line_no: int) -> None:
    """Set off what a line leads to: shipping if all is there, a part shipment on its due day."""
    truth = chain.sales().truth["lines"][str(line_no)]
    if line_ready(chain, line_no):
        line_is_ready(plant, chain, line_no)
    elif "later" in truth:
        return
    elif chain.sales().truth["partial"] and chain.line(line_no)["qty"] >= 8:  # noqa: PLR2004
        plant.schedule(truth["due"], "15:35", chain.root, "part", str(line_no))


def plan_late(plant: Plant, chain: Chain, line_no: int) -> None:
    """A line that was too far away to be planned has come within the horizon."""
    order, line = chain.sales(), chain.line(line_no)
    if line["status"] != "open" or "later" not in order.truth["lines"][str(line_no)]:
        return
    rng = random.Random(f"{plant.firm.seed}/{order.erp_id}/{line_no}/{plant.day}")
    Planner(plant, chain, rng=rng).supply(line, line["qty"])
    order.dirty = True
    _settle_line(plant, chain, line_no)
    _go(plant, chain, line_no)


def change(plant: Plant, chain: Chain, draft: OrderDraft) -> None:
    """Bring an order to a new draft; what has shipped cannot be changed any more."""
    order = chain.sales()
    if order.body["status"] != "open":
        raise TwinRefusal("order_closed", f"Order {order.erp_id} is {order.body['status']}.")
    if draft.customer != order.body["customer"] or draft.currency != order.body["currency"]:
        raise TwinRefusal("fixed_field", "Customer and currency of an order cannot change.",
                          "customer")  # fmt: skip
    wanted = {line.line_no: line for line in draft.lines}
    for body in order.body["lines"]:
        _check_change(body, wanted.get(body["line_no"]))
    before = order_value(order)
    _change_header(plant, order, draft)
    rng = random.Random(f"{plant.firm.seed}/{order.erp_id}/{order.rev}")
    _change_lines(plant, chain, Planner(plant, chain, rng=rng), wanted)
    order.touch(plant.clock)
    plant.owe(order.body["customer"], order_value(order) - before)


def _change_header(plant: Plant, order: Doc, draft: OrderDraft) -> None:
    order.body |= {name: getattr(draft, name) for name in _HEADER}
    order.body["ship_to"] = draft.ship_to or plant.firm.buyers[draft.customer].sites[0].code
    order.body["reference"] = draft.reference or order.body["reference"]
    order.truth["note"] = draft.note


def _change_lines(
    plant: Plant, chain: Chain, planner: Planner, wanted: dict[int, OrderDraftLine]
) -> None:
    order = chain.sales()
    fresh = wanted.keys() - {body["line_no"] for body in order.body["lines"]}
    for body in order.body["lines"]:
        line = wanted.get(body["line_no"])
        if body["status"] == "open" and line is None:
            _drop(plant, chain, body)
        elif body["status"] == "open" and line is not None:
            _change_line(plant, chain, planner, body, line)
    for no in sorted(fresh):
        _add_line(plant, order, wanted[no])
        planner.supply(chain.line(no), int(wanted[no].qty))
        _settle_line(plant, chain, no)
    for body in order.body["lines"]:
        if body["status"] == "open":
            _go(plant, chain, body["line_no"])
    if all(body["status"] in {"closed", "cancelled"} for body in order.body["lines"]):
        order.body["status"] = "closed"


def _check_change(body: Body, line: OrderDraftLine | None) -> None:
    no, shipped = body["line_no"], body["shipped_qty"]
    if body["status"] == "cancelled" and line is not None:
        raise TwinRefusal("line_cancelled", f"Line {no} was cancelled.", "line_no", no)
    if not shipped:
        return
    if line is None or line.item != body["item"] or line.qty < shipped:
        raise TwinRefusal("line_shipped", f"{shipped} pieces of line {no} have left.", "qty", no)
    if body["status"] != "open" and line.qty != body["qty"]:
        raise TwinRefusal("line_shipped", f"Line {no} has left.", "qty", no)
    price = (Decimal(body["unit_price"]), Decimal(body["discount_pct"]))
    if body["invoiced_qty"] and price != (line.unit_price, line.discount_pct):
        raise TwinRefusal("line_invoiced", f"Line {no} is invoiced.", "unit_price", no)


def _change_line(
    plant: Plant, chain: Chain, planner: Planner, body: Body, line: OrderDraftLine
) -> None:
    order = chain.sales()
    truth = order.truth["lines"][str(line.line_no)]
    same = line.item == body["item"]
    more = int(line.qty) - body["qty"]
    body["item"], body["qty"] = line.item, int(line.qty)
    if not same:
        release_supply(plant, chain, line.line_no)
    _write_line(plant, order, body, line)
    if not same or "later" in truth:
        planner.supply(body, int(line.qty))
    elif more > 0:
        planner.supply(body, more)
    elif more < 0:
        _less(plant, chain, planner, body, -more)
    if body["shipped_qty"] == body["qty"]:
        body["status"] = "closed" if body["invoiced_qty"] == body["qty"] else "shipped"
    else:
        _settle_line(plant, chain, line.line_no)


def _less(plant: Plant, chain: Chain, planner: Planner, body: Body, less: int) -> None:
    """Fewer pieces: a running work order goes on, its surplus to stock; else plan anew."""
    truth = chain.sales().truth["lines"][str(body["line_no"])]
    running = [no for no in truth["works"] if chain.works[no].body["status"] == "running"]
    finished = [no for no in truth["works"] if chain.works[no].body["status"] == "done"]
    if running and not finished and not truth["pegs"]:
        doc = chain.works[running[-1]]
        pegged, surplus = pegged_qty(doc), doc.truth.get("surplus", 0)
        doc.truth["surplus"] = min(surplus + less, doc.body["qty"] - body["shipped_qty"])
        doc.dirty = True
        plant.move(plant.firm.parts[doc.body["item"]], 0, pegged_qty(doc) - pegged)
        return
    release_supply(plant, chain, body["line_no"])
    planner.supply(body, body["qty"] - body["shipped_qty"])


def _drop(plant: Plant, chain: Chain, body: Body) -> None:
    body["status"] = "cancelled"
    release_supply(plant, chain, body["line_no"])


def release_supply(plant: Plant, chain: Chain, line_no: int) -> None:
    """Give back what a line has pegged and stop its supply; what runs ends in the stock."""
    order = chain.sales()
    truth, line = order.truth["lines"][str(line_no)], chain.line(line_no)
    # Pieces that left already came out of these supplies; only the rest is pegged still.
    gone = line["shipped_qty"]
    for item, qty in truth["pegs"]:
        left = max(0, qty - gone)
        gone = max(0, gone - qty)
        plant.move(plant.firm.parts[item], 0, -left)
    _stop(plant, chain, truth["works"], truth["buys"], gone)
    truth |= {"pegs": [], "works": [], "buys": []}
    order.dirty = True


def _stop(
    plant: Plant, chain: Chain, works: list[str], buys: list[list[Any]], gone: int = 0
) -> None:
    for no in works:
        doc = chain.works[no]
        body, truth = doc.body, doc.truth
        part = plant.firm.parts[body["item"]]
        # Received pieces that have not left are free now.
        left = max(0, pegged_qty(doc) - gone)
        gone = max(0, gone - pegged_qty(doc))
        if left:
            plant.move(part, 0, -left)
        if body["status"] == "running":
            body["demand_ref"] = ""
            truth["surplus"] = 0
            _expect(plant, part, body["qty"] - truth["received"])
            doc.touch(plant.clock)
        elif body["status"] in {"planned", "released"}:
            body["status"] = "cancelled"
            doc.touch(plant.clock)
            for item, qty in truth["pegs"]:
                plant.move(plant.firm.parts[item], 0, -qty)
            _stop(plant, chain, truth["subs"], truth["buys"])
    for no, at in buys:
        _stop_buying(plant, chain, no, at, gone)


def _stop_buying(plant: Plant, chain: Chain, no: str, at: int, gone: int) -> None:
    """Received goods become free, ordered ones come for the stock."""
    doc = chain.buys[no]
    row = doc.body["lines"][at - 1]
    part = plant.firm.parts[row["item"]]
    if row["received_on"]:
        plant.move(part, 0, -max(0, row["qty"] - gone))
    else:
        _expect(plant, part, row["qty"])
    row["demand_ref"] = ""
    doc.touch(plant.clock)


def _expect(plant: Plant, part: Part, qty: int) -> None:
    level = plant.level(part)
    level.truth["coming"] += qty
    level.dirty = True


def cancel(plant: Plant, chain: Chain, reason: str) -> None:
    """Cancel an order of which nothing has left."""
    order = chain.sales()
    if order.body["status"] == "cancelled":
        raise TwinRefusal("order_cancelled", f"Order {order.erp_id} is cancelled already.")
    if any(line["shipped_qty"] for line in order.body["lines"]):
        raise TwinRefusal("order_shipped", f"Parts of order {order.erp_id} have left.")
    owed = order_value(order)
    for line in order.body["lines"]:
        if line["status"] == "open":
            _drop(plant, chain, line)
    order.body["status"] = "cancelled"
    order.truth["note"] = reason
    order.touch(plant.clock)
    plant.owe(order.body["customer"], -owed)


def slip(plant: Plant, chain: Chain, po_no: str, line_no: int, day: str) -> None:
    """Move the supplier's word and the truth of a purchase order line to ``day``."""
    doc = chain.buys[po_no]
    rows = doc.body["lines"]
    if not 0 < line_no <= len(rows) or rows[line_no - 1]["received_on"]:
        raise TwinRefusal("line_received", f"Line {line_no} is received or does not exist.",
                          "line", line_no)  # fmt: skip
    day = plant.days(doc.body["site"]).add(max(day, plant.day), 0)
    row, truth = rows[line_no - 1], doc.truth["lines"][str(line_no)]
    row["first_confirmed_on"] = row["first_confirmed_on"] or truth["first"]
    row["confirmed_on"] = truth["actual"] = day
    truth["words"] = []
    doc.touch(plant.clock)
    plant.schedule(day, "10:00", chain.root, "receipt", f"{po_no}|{line_no}")
    replan(plant, chain, row["demand_ref"])


def open_value(order: Doc) -> Decimal:
    """What of an order is not invoiced yet, net."""
    return sum(
        (
            value(line, order.body["currency"])
            - Decimal(order.truth["lines"][str(line["line_no"])]["billed"])
            for line in order.body["lines"]
            if line["status"] != "cancelled"
        ),
        Decimal(0),
    )
