"""Accounts: the list, and one account with its orders, quotes, cases, people and history.

Reads only; the forms are in ``account_acts``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from b2bcrm.customers.events import TOUCH_WORDS
from b2bcrm.customers.models import TouchKind
from b2bcrm.desk import links
from b2bcrm.desk.account_facts import AccountPage, account_page
from b2bcrm.desk.account_list import (
    FILTERS,
    SORTS,
    AccountRow,
    base_currency,
    countries,
    list_accounts,
)
from b2bcrm.desk.account_timeline import Row, ShippedLines
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.events import LineShipped
from b2bcrm.orders.lifecycle import STATE_WORDS as ORDER_WORDS
from b2bcrm.orders.lifecycle import Stage
from b2bcrm.quotes.lifecycle import LOSS_WORDS
from b2bcrm.quotes.lifecycle import STATE_WORDS as QUOTE_WORDS
from b2bcrm.service.lifecycle import KIND_WORDS, STATE_WORDS
from b2bcrm.web.export import Column, export
from b2bcrm.web.locale import say
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import After, in_work

bp = Blueprint("desk_accounts", __name__, template_folder="templates")

CREDIT_WORDS = {
    "ok": Message("Credit free"),
    "risk": Message("Credit tight"),
    "late": Message("Credit blocked"),
}
COLUMNS: tuple[Column[AccountRow], ...] = (
    Column(Message("Account"), lambda r: r.account.name),
    Column(Message("ERP number"), lambda r: r.account.erp_id or ""),
    Column(Message("Class"), lambda r: r.account.customer_class),
    Column(Message("Country"), lambda r: r.account.country),
    Column(Message("City"), lambda r: r.account.city),
    Column(Message("Owner"), lambda r: r.owner),
    Column(Message("Open orders"), lambda r: r.open_orders),
    Column(Message("Open value, base currency"), lambda r: r.open_value),
    Column(Message("Late orders"), lambda r: r.late),
    Column(Message("Open quotes"), lambda r: r.quotes),
    Column(Message("Credit"), lambda r: CREDIT_WORDS[r.light]),
    Column(Message("Credit limit"), lambda r: r.account.credit_limit),
    Column(Message("Credit used"), lambda r: r.account.credit_used),
    Column(Message("Overdue"), lambda r: r.account.overdue_amount),
    Column(Message("Currency"), lambda r: r.account.currency),
    Column(Message("Last touch"), lambda r: r.last_touch_at),
)
SHOWN_ORDERS = 20
EVENTS, ALL_EVENTS = 24, 200
TOUCH_ICONS = {
    TouchKind.CALL: "phone-call",
    TouchKind.MAIL: "mail",
    TouchKind.VISIT: "map-pin",
    TouchKind.PORTAL: "world",
    TouchKind.NOTE: "note",
}
_FACT_ICONS = {
    "order": "shopping-cart",
    "line": "shopping-cart",
    "shipment": "truck-delivery",
    "quote": "file-text",
    "inquiry": "message-question",
    "case": "headset",
    "account": "building",
}


@bp.get("/accounts")
@in_work(read_only=True)
def accounts(work: Work) -> ResponseReturnValue | After:
    """All accounts with their open business; filter, sort and download."""
    wish = asked(sorts=SORTS, default="-open", filters=FILTERS)
    rows, total = list_accounts(work, wish)
    if wish.format:
        return export(rows, COLUMNS, wish.format, "accounts")
    return render_template(
        "desk/accounts.html",
        listing=Listing(rows, total, wish),
        base=base_currency(work),
        country_options=[(code, code) for code in countries(work)],
        credit_words=CREDIT_WORDS,
        may_create=work.actor.may(Right.QUOTE),
        url=links.account_url,
        as_money=Money,
    )


@bp.get("/accounts/<int:account_id>")
@in_work(read_only=True)
def account(work: Work, account_id: int) -> ResponseReturnValue:
    """One account."""
    everything = "timeline" in request.args
    page = account_page(work, account_id, events=ALL_EVENTS if everything else EVENTS)
    view = request.args.get("orders", "open")
    shown = {"done": page.done_orders, "all": page.orders}.get(view, page.open_orders)
    return render_template(
        "desk/account.html",
        page=page,
        account=page.account,
        view=view if view in {"done", "all"} else "open",
        orders=shown[:SHOWN_ORDERS],
        more_orders=max(0, len(shown) - SHOWN_ORDERS),
        stages=_stages(page),
        stage_index={stage: n for n, stage in enumerate(Stage)},
        days=_by_day(page.timeline),
        more_events=not everything and page.more_events,
        credit_words=CREDIT_WORDS,
        may_edit=work.actor.may(Right.QUOTE),
        touch_options=[(kind.value, say(TOUCH_WORDS[kind.value])) for kind in TouchKind],
        people_options=[(p.contact.id, p.contact.name) for p in page.people],
        about_options=_about(page),
        order_words=ORDER_WORDS,
        quote_words=QUOTE_WORDS,
        loss_words={reason.value: word for reason, word in LOSS_WORDS.items()},
        case_words=STATE_WORDS,
        case_kinds=KIND_WORDS,
        to=links,
        as_money=Money,
    )


def _about(page: AccountPage) -> list[tuple[str, str]]:
    """What a touch can be tied to: the open orders, quotes and cases."""
    return [
        *((f"order:{row.order.id}", row.order.no) for row in page.open_orders),
        *((f"quote:{quote.id}", quote.label) for quote in page.open_quotes),
        *((f"case:{case.id}", case.no) for case in page.open_cases),
    ]


@dataclass(frozen=True)
class Entry:
    """One line of the timeline: who, what, and which records it leads to."""

    at: dt.datetime
    icon: str
    who: str
    what: Message | str
    text: str = ""
    kind: Message | None = None
    person: bool = False
    references: tuple[tuple[str, str], ...] = ()


def _entry(row: Row) -> Entry:
    if isinstance(row, TimelineEntry):
        icon = _FACT_ICONS.get(row.subject, "history")
        return Entry(at=row.at, icon=icon, who=row.actor_name, what=row.sentence)
    if isinstance(row, ShippedLines):
        return Entry(
            at=row.at,
            icon=_FACT_ICONS.get(LineShipped.subject, "history"),
            who=row.actor_name,
            what=row.sentence,
            references=((row.order_no, links.order_url(row.order_no)),),
        )
    references = [
        (number, url(number))
        for number, url in (
            (row.order_no, links.order_url),
            (row.quote_no, links.quote_url),
            (row.case_no, links.case_url),
        )
        if number
    ]
    return Entry(
        at=row.at,
        icon=TOUCH_ICONS[row.kind],
        who=(row.contact_name or row.user_name) if row.inbound else row.user_name,
        what=row.subject,
        text=row.text,
        kind=TOUCH_WORDS[row.kind.value],
        person=True,
        references=tuple(references),
    )


def _by_day(rows: Sequence[Row]) -> list[tuple[dt.date, list[Entry]]]:
    days: dict[dt.date, list[Entry]] = {}
    for row in rows:
        days.setdefault(row.at.astimezone(HOME_ZONE).date(), []).append(_entry(row))
    return list(days.items())


def _stages(page: AccountPage) -> list[dict[str, Any]]:
    """The eight stages with counts and values, for the life line."""
    rows: list[dict[str, Any]] = [{} for _ in Stage]
    names = list(Stage)
    for stage, found in page.stages().items():
        rows[names.index(stage)] = {
            "count": found.count,
            "status": found.status,
            "value": Money.of(found.value, page.base) if found.value else None,
            "late": found.late,
        }
    return rows
