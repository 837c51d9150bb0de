"""Why a line is late or at risk, in one sentence, and what to do next. Pure.

The cause is the link of the critical chain that lost most working days by itself; where none
lost any, the deepest link. Staff only: sentences name suppliers' documents and work centres.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from b2bcrm.fulfillment.planning.chain import (
    Node,
    Outlook,
    closed_short,
    scrapped,
    waits_for_rest,
)
from b2bcrm.fulfillment.planning.facts import Asked, Line
from b2bcrm.fulfillment.planning.progress import plain, word_of
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.words import Message, show_decimal

CAUSE_WORDS = {
    "material": Message("Material"),
    "capacity": Message("Capacity"),
    "quality": Message("Quality"),
    "credit": Message("Credit"),
    "customer": Message("Customer"),
    "shipping": Message("Shipping"),
    "data": Message("Data"),
}


@dataclass(frozen=True)
class Why:
    """``kind`` is a key of CAUSE_WORDS."""

    kind: str
    cause: Message
    next_step: Message


def explain(
    line: Line,
    view: Outlook,
    today: dt.date,
    *,
    hold_reason: str | None = None,
    credit_hold: bool = False,
    known_to_erp: bool = True,
    waits_for: int | None = None,
) -> Why:
    """The cause of a line that is late or at risk; ask only for such lines.

    ``waits_for`` is the slowest line of an order that must ship complete.
    """
    if credit_hold:
        return Why(
            "credit",
            Message("The account's credit is blocked in the ERP."),
            Message("Settle the credit with the customer."),
        )
    if hold_reason:
        return Why(
            "customer",
            Message("On hold: %(reason)s", reason=hold_reason),
            Message("Clear the reason and release the hold."),
        )
    if line.promised_on is None:
        return Why(
            "data",
            Message("The line has no promise date."),
            Message("Give the line a promise date."),
        )
    found = _of_policy(line, view) or _of_rest(line, view)
    if found is not None:
        return found
    chain = view.driver()
    if chain:
        worst = max(chain, key=lambda node: node.own)
        node = worst if worst.own > 0 else chain[-1]
        return _of_node(node, view, line.calendar, today)
    return _without_chain(line, view, known_to_erp=known_to_erp, waits_for=waits_for)


def asked_of(asked: Asked, why: Why, *, late: bool) -> Why:
    """The same where the customer waits for our answer: that is next, whatever the cause."""
    if late:
        return replace(why, next_step=asked.next_step)
    return Why("customer", asked.sentence, asked.next_step)


def _of_policy(line: Line, view: Outlook) -> Why | None:
    """It may come no later, or leaves with a line that does."""
    if line.never and view.ready_on is None:
        cause = Message(
            "The plan cannot bring it by %(day)s, the last day on which it may come.",
            day=line.latest_on,
        )
        step = Message("Ask the customer whether it may come later, or get supply for it.")
        return Why("customer", cause, step)
    if view.waits_for is not None:
        cause = Message(
            "It leaves with line %(line)s, on %(day)s.", line=view.waits_for, day=view.with_on
        )
        return Why("shipping", cause, Message("Ask the customer to take a part delivery."))
    return None


def _of_rest(line: Line, view: Outlook) -> Why | None:
    """Pieces are missing beside the documents: scrapped, booked nowhere, or never planned."""
    plan = line.plan
    if plan is None or not waits_for_rest(line, view):
        return None
    step = Message("Plan the line's supply in the ERP.")
    spoilt = scrapped(line, view)
    if spoilt is not None:
        cause = Message(
            "%(qty)s of %(no)s were scrapped; what replaces them is there on %(day)s.",
            qty=show_decimal(spoilt.scrapped),
            no=spoilt.no,
            day=plan.on,
        )
        return Why("quality", cause, step)
    if (closed := closed_short(line, view)) is not None:
        cause = Message(
            "%(no)s was closed with %(qty)s missing; the rest is there on %(day)s.",
            no=closed.no,
            qty=show_decimal(closed.missing),
            day=plan.on,
        )
        step = Message("Put %(no)s right in the ERP, and plan the rest.", no=closed.no)
        return Why("data", cause, step)
    cause = Message(
        "Not all of it is planned in the ERP; the rest is there on %(day)s.", day=plan.on
    )
    return Why("material" if plan.material else "capacity", cause, step)


def _without_chain(line: Line, view: Outlook, *, known_to_erp: bool, waits_for: int | None) -> Why:
    if view.source == "shipped":
        return Why(
            "shipping",
            Message("Shipped on %(day)s, not delivered yet.", day=view.ship_on),
            Message("Ask the carrier for the delivery date."),
        )
    if view.complete:
        return _finished(line, view, waits_for)
    if line.plan is not None and line.plan.late and line.plan.why is not None:
        return Why(
            "material" if line.plan.material else "capacity",
            Message("No document brings it yet; %(why)s.", why=line.plan.why),
            Message("Plan the line's supply in the ERP."),
        )
    if not known_to_erp:
        return Why(
            "data",
            Message("The ERP has not planned the line yet."),
            Message("Wait for the ERP, or look at the ERP monitor."),
        )
    if view.source == "plan":
        return Why(
            "data",
            Message("The ERP plans to ship on %(day)s; no supply is pegged.", day=line.planned_on),
            Message("Plan the line's supply in the ERP."),
        )
    return Why(
        "data",
        Message("No supply is planned for the line."),
        Message("Plan the line's supply in the ERP."),
    )


def _finished(line: Line, view: Outlook, waits_for: int | None) -> Why:
    if waits_for is not None:
        return Why(
            "shipping",
            Message("Ready; the order ships complete and waits for line %(line)s.", line=waits_for),
            Message("Ask the customer to take a part delivery."),
        )
    if line.planned_on is not None and view.ship_on == line.planned_on:
        return Why(
            "shipping",
            Message("Ready; the ERP plans to ship on %(day)s.", day=line.planned_on),
            Message("Ship it earlier."),
        )
    return Why("shipping", Message("Ready, but not shipped."), Message("Have the line shipped."))


def _of_node(node: Node, view: Outlook, cal: WorkCalendar, today: dt.date) -> Why:
    if node.kind == "purchase_order":
        return _purchase(node, view, cal, today)
    if node.kind == "stock":
        return _shortage(node)
    return _production(node)


def _purchase(node: Node, view: Outlook, cal: WorkCalendar, today: dt.date) -> Why:
    facts = {"no": node.no, "item": node.item}
    if node.overdue:
        cause = Message(
            "%(no)s (%(item)s) was due on %(was)s and has not come.", was=node.was_on, **facts
        )
        return Why("material", cause, Message("Ask the supplier of %(no)s for a date.", no=node.no))
    if node.delay:
        cause = Message(
            "%(no)s (%(item)s) comes on %(day)s, not %(was)s.",
            day=node.end_on,
            was=node.was_on,
            **facts,
        )
    elif node.own:
        cause = Message(
            "%(no)s (%(item)s) comes on %(day)s, needed on %(need)s.",
            day=node.end_on,
            need=node.need_on,
            **facts,
        )
    else:
        cause = Message("%(no)s (%(item)s) comes on %(day)s.", day=node.end_on, **facts)
    late = -(view.buffer or 0)
    if late > 0 and node.end_on is not None:
        wanted = cal.add_days(node.end_on, -late)
        if wanted > today:
            text = Message("Have %(no)s delivered by %(day)s.", no=node.no, day=wanted)
            return Why("material", cause, text)
    return Why("material", cause, Message("Ask for %(no)s to come earlier.", no=node.no))


def _shortage(node: Node) -> Why:
    qty = show_decimal(node.short)
    if node.no:
        return Why(
            "material",
            Message(
                "%(item)s is %(qty)s short until %(no)s on %(day)s.",
                item=node.item,
                qty=qty,
                no=node.no,
                day=node.end_on,
            ),
            Message("Ask for %(no)s to come earlier.", no=node.no),
        )
    return Why(
        "material",
        Message("%(item)s is %(qty)s short and nothing is ordered.", item=node.item, qty=qty),
        Message("Order %(qty)s of %(item)s.", item=node.item, qty=qty),
    )


def _production(node: Node) -> Why:
    if node.own > 0 and node.center:
        return Why(
            "capacity",
            Message(
                "%(no)s is %(days)s wd behind plan at %(center)s.",
                no=node.no,
                days=node.own,
                center=word_of(node.center),
            ),
            Message("Speed up %(no)s at %(center)s.", no=node.no, center=word_of(node.center)),
        )
    if node.delay:
        return Why(
            "capacity",
            Message(
                "%(no)s ends on %(day)s, not %(was)s.",
                no=node.no,
                day=node.end_on,
                was=node.was_on,
            ),
            Message("Speed up %(no)s.", no=node.no),
        )
    return Why(
        "capacity",
        Message("%(no)s ends on %(day)s.", no=node.no, day=node.end_on),
        Message("Speed up %(no)s.", no=node.no),
    )


def rows(tops: Sequence[Node], depth: int = 1) -> list[dict[str, object]]:
    """The tree as plain rows for the page, depth first; finished branches stay folded."""
    found: list[dict[str, object]] = []
    for node in tops:
        found.append(
            {
                "depth": depth,
                "kind": node.kind,
                "no": node.no,
                "line_no": node.line_no,
                "item": node.item,
                "qty": plain(node.qty),
                "start": node.start_on.isoformat() if node.start_on else None,
                "end": node.end_on.isoformat() if node.end_on else None,
                "was": node.was_on.isoformat() if node.was_on else None,
                "delay": node.delay,
                "slack": node.slack,
                "short": plain(node.short),
                "critical": node.critical,
                "finished": node.finished,
                "overdue": node.overdue,
                "detail": node.detail,
                "center": node.center,
                "firm": node.firm,
            }
        )
        if not node.finished:
            found += rows(node.children, depth + 1)
    return found
