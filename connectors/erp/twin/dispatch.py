"""Shipping, delivery, invoice and payment of an order; what a customer gets and owes."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

from b2bcrm.ports.erp import Entity
from connectors.erp.twin.calendars import WorkDays, shift
from connectors.erp.twin.company import Body
from connectors.erp.twin.documents import Chain, Doc
from connectors.erp.twin.people import Buyer, Site, terms_days
from connectors.erp.twin.planning import line_ready, total
from connectors.erp.twin.plant import Plant
from connectors.erp.twin.prices import rounded
from connectors.erp.twin.shopfloor import pegged_qty, report

_CARRIERS = {"TW": ("Hsin-Chu Transport", "Kerry TJ"), "CN": ("SF Express", "Deppon"),
             "DE": ("Dachser Air & Sea", "Kühne + Nagel"), "US": ("Expeditors", "FedEx Freight"),
             "JP": ("Yamato Global", "Nippon Express")}  # fmt: skip


def ship_to(buyer: Buyer, code: str) -> Site:
    """The ship-to named ``code``; the first one if it is unknown."""
    return next((site for site in buyer.sites if site.code == code), buyer.sites[0])


def arrival(site: Site, shipped: str, delay: int = 0) -> str:
    """The first receiving day at the customer on or after the end of the transit."""
    day = shift(shipped, site.transit + delay)
    while site.days[dt.date.fromisoformat(day).weekday()] != "1":
        day = shift(day, 1)
    return day


def leave_by(site: Site, days: WorkDays, promised: str) -> str:
    """The last working day on which goods can leave to be delivered by ``promised``."""
    while site.days[dt.date.fromisoformat(promised).weekday()] != "1":
        promised = shift(promised, -1)
    day = shift(promised, -site.transit)
    return day if days.is_working(day) else days.add(day, -1)


def line_is_ready(plant: Plant, chain: Chain, line_no: int) -> None:
    """Supply of a line is complete: decide when it leaves, alone or with the whole order."""
    order = chain.sales()
    lines, truths = order.body["lines"], order.truth["lines"]
    if chain.line(line_no)["status"] != "open":
        return
    truths[str(line_no)].setdefault("ready_on", plant.day)
    order.dirty = True
    going = [line for line in lines if line["status"] == "open"]
    if not order.truth["partial"]:
        if not all(line_ready(chain, line["line_no"]) for line in going):
            return
        due = max(truths[str(line["line_no"])]["due"] for line in going)
    else:
        due = truths[str(line_no)]["due"]
    days = plant.days(order.body["site"])
    fresh = truths[str(line_no)]["works"] or truths[str(line_no)]["buys"]
    soonest = days.add(plant.day, 1 if fresh else 0)
    leave = max(soonest, days.add(due, -order.truth["early"]))
    plant.schedule(leave, "15:30", chain.root, "ship", str(line_no))


def ship(plant: Plant, chain: Chain, ref: str) -> None:
    """Everything that is ready and due to leave goes in one shipment."""
    order = chain.sales()
    if order.body["status"] != "open":
        return
    days, truths = plant.days(order.body["site"]), order.truth["lines"]
    going: list[tuple[Body, int]] = []
    for line in order.body["lines"]:
        truth = truths[str(line["line_no"])]
        if line["status"] != "open":
            continue
        ready_on = truth.get("ready_on", "9999")
        if not line_ready(chain, line["line_no"]) or ready_on > plant.day:
            if not order.truth["partial"]:
                return
            continue
        if order.truth["partial"] and plant.day < days.add(truth["due"], -order.truth["early"]):
            continue
        going.append((line, line["qty"] - line["shipped_qty"]))
    if not order.truth["partial"] and going:
        due = max(truths[str(line["line_no"])]["due"] for line, _ in going)
        if plant.day < days.add(due, -order.truth["early"]):
            plant.schedule(due, "15:30", chain.root, "ship", ref)
            return
    if going:
        _send(plant, chain, going)


def ship_part(plant: Plant, chain: Chain, ref: str) -> None:
    """On the due day of a late line, a customer who takes parts gets the finished pieces."""
    order, line = chain.sales(), chain.line(int(ref))
    truth = order.truth["lines"][ref]
    if line["status"] != "open" or line_ready(chain, int(ref)) or truth["pegs"]:
        return
    if len(truth["works"]) != 1 or truth["buys"]:
        return
    work = chain.works[truth["works"][0]]
    if work.body["status"] == "running":
        report(plant, work, 0.8)
    fresh = pegged_qty(work) - line["shipped_qty"]
    if work.body["status"] == "running" and 0 < fresh < line["qty"] - line["shipped_qty"]:
        _send(plant, chain, [(line, fresh)])


def _send(plant: Plant, chain: Chain, going: list[tuple[Body, int]]) -> None:
    order = chain.sales()
    buyer = plant.firm.buyers[order.body["customer"]]
    no = plant.number("shipment")
    rng = random.Random(f"{plant.firm.seed}/{no}")
    for line, qty in going:
        part = plant.firm.parts[line["item"]]
        if part.kind != "service":
            plant.move(part, -qty, -qty)
        line["shipped_qty"] += qty
        if line["shipped_qty"] == line["qty"]:
            line["status"] = "shipped"
    order.touch(plant.clock)
    plant.make(Entity.SHIPMENT, no, order.body["site"], chain, {
        "customer": buyer.no, "shipped_on": plant.day, "delivered_on": None,
        "carrier": rng.choice(_CARRIERS[buyer.country]),
        "tracking_no": f"{rng.randrange(100, 999)}-{rng.randrange(10**7, 10**8)}",
        "lines": [
            {"sales_order": order.erp_id, "order_line_no": line["line_no"],
             "item": line["item"], "qty": qty}
            for line, qty in going
        ],
    }, truth={})  # fmt: skip
    delay = rng.randint(1, 3) if rng.random() < 0.02 else 0  # noqa: PLR2004 - customs, weather
    there = arrival(ship_to(buyer, order.body["ship_to"]), plant.day, delay)
    plant.schedule(there, "18:30", chain.root, "deliver", no)
    plant.schedule(plant.day, "17:40", chain.root, "invoice", no)


def deliver(plant: Plant, chain: Chain, ref: str) -> None:
    """The carrier's proof of delivery."""
    doc = chain.shipments[ref]
    if doc.body["delivered_on"] is None:
        doc.body["delivered_on"] = plant.day
        doc.touch(plant.clock)


def invoice(plant: Plant, chain: Chain, ref: str) -> None:
    """One invoice per shipment; the last part of a line bills what is left of it, to the cent."""
    order = chain.sales()
    buyer = plant.firm.buyers[order.body["customer"]]
    amount = Decimal(0)
    for row in chain.shipments[ref].body["lines"]:
        line = chain.line(row["order_line_no"])
        truth = order.truth["lines"][str(line["line_no"])]
        line["invoiced_qty"] += row["qty"]
        whole = value(line, order.body["currency"])
        part = whole - Decimal(truth["billed"])
        if line["invoiced_qty"] < line["qty"]:
            part = rounded(whole * row["qty"] / line["qty"], order.body["currency"])
        else:
            line["status"] = "closed"
        truth["billed"] = str(Decimal(truth["billed"]) + part)
        amount += part
    if all(line["status"] in {"closed", "cancelled"} for line in order.body["lines"]):
        order.body["status"] = "closed"
    order.touch(plant.clock)
    no = plant.number("invoice")
    rng = random.Random(f"{plant.firm.seed}/{no}")
    due = shift(plant.day, terms_days(order.body["payment_terms"]))
    doc = plant.make(Entity.INVOICE, no, order.body["site"], chain, {
        "customer": buyer.no, "sales_order": order.erp_id, "shipment": ref,
        "invoiced_on": plant.day, "due_on": due, "currency": order.body["currency"],
        "total": str(amount), "open_amount": str(amount),
    }, truth={"overdue": False})  # fmt: skip
    paid = shift(due, max(-5, round(buyer.pays_late + rng.gauss(0, 2))))
    if paid > due:
        plant.schedule(shift(due, 1), "08:00", chain.root, "due", no)
    plant.schedule(paid, "12:00", chain.root, "pay", doc.erp_id)


def fall_due(plant: Plant, chain: Chain, ref: str) -> None:
    """The day after the due date an open invoice counts as overdue."""
    doc = chain.invoices[ref]
    amount = Decimal(doc.body["open_amount"])
    if amount and not doc.truth["overdue"]:
        doc.truth["overdue"], doc.dirty = True, True
        plant.owe(doc.body["customer"], Decimal(0), amount)


def pay(plant: Plant, chain: Chain, ref: str) -> None:
    """The customer pays in full."""
    doc = chain.invoices[ref]
    amount = Decimal(doc.body["open_amount"])
    if amount:
        overdue = -amount if doc.truth["overdue"] else Decimal(0)
        doc.body["open_amount"] = "0"
        doc.touch(plant.clock)
        plant.owe(doc.body["customer"], -amount, overdue)


def value(line: Body, currency: str) -> Decimal:
    """Net amount of an order line, rounded to the currency."""
    return rounded(total(line), currency)


def order_value(order: Doc) -> Decimal:
    """Net amount of all lines that are not cancelled."""
    return sum(
        (
            value(line, order.body["currency"])
            for line in order.body["lines"]
            if line["status"] != "cancelled"
        ),
        Decimal(0),
    )
