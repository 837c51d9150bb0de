"""What the ERP monitor shows beyond feeds and outbox: the day's rows, differences, the culprit."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from b2bcrm.customers.models import Account
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries as orders
from b2bcrm.orders.models import Order
from b2bcrm.sync.conflicts import UNSETTLED, ConflictState, ErpConflict
from b2bcrm.sync.models import ParkedRow, QuarantinedRow, SyncRun
from b2bcrm.sync.ownership import FIELD_WORDS, WHY
from b2bcrm.sync.writes import ErpWrite

SHOWN = 50
NEAR = 40  # elements after a line's number within which its fields stand
_ELEMENT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)([^>]*)>([^<]*)")
_NAME = re.compile(r"\bname=[\"']([^\"']+)[\"']")


@dataclass(frozen=True)
class Figures:
    """Rows since midnight in the home zone, and how much waits, in one look."""

    read: int
    changed: int
    waiting: int
    stuck: int
    oldest_waiting: dt.datetime | None
    held: int
    to_decide: int


def figures(work: Work) -> Figures:
    """One statement; runs and deliveries carry machine time."""
    local = work.tick.astimezone(HOME_ZONE)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(dt.UTC)

    def since_midnight(rows: InstrumentedAttribute[int]) -> sa.ScalarSelect[int]:
        total = sa.select(sa.func.coalesce(sa.func.sum(rows), 0))
        return total.where(SyncRun.started_at >= midnight).scalar_subquery()

    def count(table: type[Any], *where: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
        return sa.select(sa.func.count()).select_from(table).where(*where).scalar_subquery()

    waits = Delivery.state == DeliveryState.WAITING
    oldest = sa.select(sa.func.min(Delivery.created_at)).where(waits).scalar_subquery()
    visible = orders.visible_to(work.actor).with_only_columns(Order.id)
    row = work.session.execute(
        sa.select(
            since_midnight(SyncRun.rows_read).label("read"),
            since_midnight(SyncRun.rows_changed).label("changed"),
            count(Delivery, waits).label("waiting"),
            count(Delivery, Delivery.state == DeliveryState.PARKED).label("stuck"),
            oldest.label("oldest_waiting"),
            count(ParkedRow).label("parked"),
            count(QuarantinedRow).label("quarantined"),
            count(
                ErpConflict,
                ErpConflict.state == ConflictState.OPEN,
                ErpConflict.order_id.in_(visible),
            ).label("to_decide"),
        )
    ).one()
    return Figures(
        read=int(row.read),
        changed=int(row.changed),
        waiting=row.waiting,
        stuck=row.stuck,
        oldest_waiting=row.oldest_waiting,
        held=row.parked + row.quarantined,
        to_decide=row.to_decide,
    )


@dataclass(frozen=True)
class Difference:
    """One field that differs between an order here and in the ERP."""

    connection: str
    order_no: str
    account: str
    line_no: int | None
    field: Message
    ours: str
    theirs: str
    why: Message
    since: dt.datetime
    sent_back: bool


def differences(work: Work) -> list[Difference]:
    """What is not settled, the oldest first."""
    visible = orders.visible_to(work.actor).with_only_columns(Order.id)
    rows = work.session.execute(
        sa.select(ErpConflict, Order.no, Account.name)
        .join(Order, Order.id == ErpConflict.order_id)
        .join(Account, Account.id == Order.account_id)
        .where(ErpConflict.state.in_(UNSETTLED), Order.id.in_(visible))
        .order_by(ErpConflict.opened_at, ErpConflict.id)
        .limit(SHOWN)
    )
    return [
        Difference(
            connection=row.connection_code,
            order_no=no,
            account=account,
            line_no=row.line_no,
            field=FIELD_WORDS[row.name],
            ours=row.ours,
            theirs=row.theirs,
            why=WHY[row.owner],
            since=row.opened_at,
            sent_back=row.state is ConflictState.SENT_BACK,
        )
        for row, no, account in rows
    ]


def objections(work: Work, reference: str) -> Sequence[Mapping[str, Any]]:
    """What the ERP objected to in a write, with field and line where it said so."""
    query = sa.select(ErpWrite.issues).where(ErpWrite.reference == reference)
    found = work.session.scalars(query.order_by(ErpWrite.id.desc()).limit(1)).first()
    return found or ()


def legible(text: str, issues: Sequence[Mapping[str, Any]] = ()) -> list[tuple[str, bool]]:
    """One element per line, for reading; True marks what the ERP objects to.

    A field is recognised by its element's name, or by its ``name`` where values stand in
    name/value pairs; with a line number only behind that number.
    """
    lines = text.replace("><", ">\n<").splitlines()
    marked = set()
    for issue in issues:
        name = _plain(str(issue.get("field") or "").rpartition(".")[2])
        number = issue.get("line_no")
        places = [n for n, line in enumerate(lines) if name and name in _names(line)]
        if number is not None:
            starts = [n for n, line in enumerate(lines) if _is_number_of_line(line, int(number))]
            near = {n for n in places for start in starts if start <= n < start + NEAR}
            places = sorted(near)[:1] or places
        marked.update(places)
    return [(line, n in marked) for n, line in enumerate(lines)]


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.lower())


def _names(line: str) -> set[str]:
    found = _ELEMENT.findall(line)
    pairs = [name for _name, attributes, _text in found for name in _NAME.findall(attributes)]
    return {_plain(name) for name in (*pairs, *(name for name, _attributes, _text in found))}


def _is_number_of_line(line: str, number: int) -> bool:
    return any(
        "line" in name.lower() and text.strip().lstrip("0") == str(number)
        for name, _attributes, text in _ELEMENT.findall(line)
    )
