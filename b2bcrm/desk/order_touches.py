"""The touches of an order: what happened and whom we spoke to, merged and grouped by day. Pure."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from typing import NamedTuple

from b2bcrm.customers.models import TouchKind
from b2bcrm.customers.queries import TouchRow
from b2bcrm.desk.order_facts import EventRow, OrderFacts
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.words import Message


class TouchView(NamedTuple):
    """One entry of the touches: an event, or a person's contact with the customer."""

    at: dt.datetime
    icon: str
    person: bool
    who: str
    head: Message | str
    text: str = ""
    status: str = ""


class TouchDay(NamedTuple):
    """The touches of one day, newest first."""

    day: dt.date
    touches: tuple[TouchView, ...]


_ICONS = (
    ("order.erp_refused", "plug-connected-x"),
    ("order.erp", "transfer-in"),
    ("order.line_shipped", "truck-delivery"),
    ("order.confirmed", "circle-check"),
    ("order.held", "hand-stop"),
    ("order.released", "player-play"),
    ("order.cancelled", "circle-x"),
    ("order.amended", "edit"),
    ("order", "package"),
    ("promise", "calendar-event"),
    ("projection", "calendar-exclamation"),
    ("peg", "lock"),
    ("shipment", "package"),
    ("quote", "file-invoice"),
    ("inquiry", "inbox"),
    ("case", "headset"),
    ("file", "paperclip"),
)
_STATUSES = {"order.erp_refused": "late", "order.held": "risk", "order.confirmed": "done"}
_TOUCH_ICONS = {
    TouchKind.CALL: "phone-call",
    TouchKind.MAIL: "mail",
    TouchKind.VISIT: "users",
    TouchKind.PORTAL: "eye",
    TouchKind.NOTE: "note",
}


def touch_days(facts: OrderFacts) -> list[TouchDay]:
    """Events and touches merged, grouped by day in the home zone, newest first."""
    views = [_of_event(entry) for entry in facts.timeline]
    views += [_of_touch(row) for row in facts.touches]
    views.sort(key=lambda view: view.at, reverse=True)
    by_day = groupby(views, lambda view: view.at.astimezone(HOME_ZONE).date())
    return [TouchDay(day, tuple(those)) for day, those in by_day]


def _of_event(entry: EventRow) -> TouchView:
    icon = next((icon for start, icon in _ICONS if entry.name.startswith(start)), "note")
    person = entry.actor_user_id is not None
    return TouchView(
        at=entry.at,
        icon=icon,
        person=person,
        who=entry.actor_name if person else "",
        head=entry.sentence,
        status=_STATUSES.get(entry.name, ""),
    )


def _of_touch(row: TouchRow) -> TouchView:
    facts = {"who": row.user_name or "–", "contact": row.contact_name or "–"}
    head: Message | str
    if not row.contact_name:
        head = row.subject
    elif row.inbound:
        head = Message("%(contact)s to %(who)s: %(subject)s", subject=row.subject, **facts)
    else:
        head = Message("%(who)s with %(contact)s: %(subject)s", subject=row.subject, **facts)
    return TouchView(
        at=row.at,
        icon=_TOUCH_ICONS[row.kind],
        person=True,
        who="" if row.contact_name else row.user_name,
        head=head,
        text=row.text,
    )
