"""What must be true when the storm is over, read from both sides' tables directly."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from b2bcrm.demo.storm import rows
from b2bcrm.demo.storm.desk import Agreed, Line
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import ErpSync
from b2bcrm.orders.models import Order
from b2bcrm.sync.models import ParkedRow


@dataclass
class Verdict:
    """Order numbers by what is wrong with them, and which rows of a feed differ."""

    sent: int = 0
    stored: int = 0
    withdrawn: int = 0  # cancelled before the ERP had them
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)  # in the ERP, but not as was agreed
    unlinked: list[str] = field(default_factory=list)  # right in the ERP, but we do not know it
    differing: dict[str, list[str]] = field(default_factory=dict)  # feed -> keys of rows
    rows: int = 0
    stuck: int = 0  # deliveries and rows that never came through

    @property
    def clean(self) -> bool:
        """Nothing is wrong, and there was something to be right about."""
        wrong = (self.doubled, self.lost, self.altered, self.unlinked, self.differing)
        return not any(wrong) and not self.stuck and self.sent > 0 and self.rows > 0


def judge(work: Work, path: Path, book: Mapping[str, Agreed]) -> Verdict:
    """Compare the ERP's tables with what the desk agreed and with our copy."""
    verdict = Verdict(sent=len(book))
    entered = _entered(path)
    ours = {
        row.no: row
        for row in work.session.execute(
            sa.select(Order.no, Order.erp_no, Order.erp_sync).where(Order.no.in_(book))
        )
    }
    for no, agreed in book.items():
        _judge_order(verdict, no, agreed, entered.get(no, []), ours[no])
    theirs, copy = rows.of_erp(path), rows.of_crm(work.session)
    for entity, digests in theirs.items():
        verdict.rows += len(digests)
        keys = sorted(digests.keys() | copy[entity])
        differing = [key for key in keys if digests.get(key) != copy[entity].get(key)]
        if differing:
            verdict.differing[entity.value] = differing
    verdict.stuck = waiting(work)
    return verdict


def _judge_order(
    verdict: Verdict, no: str, agreed: Agreed, found: list[dict[str, Any]], ours: Any
) -> None:
    if len(found) > 1:
        verdict.doubled.append(no)
    elif not found:
        if agreed.cancelled:
            verdict.withdrawn += 1
        else:
            verdict.lost.append(no)
    elif not _as_agreed(agreed, found[0]):
        verdict.altered.append(no)
    elif ours.erp_no != found[0]["erp_id"] or ours.erp_sync is not ErpSync.ACCEPTED:
        verdict.unlinked.append(no)
    else:
        verdict.stored += 1


def _as_agreed(agreed: Agreed, body: Mapping[str, Any]) -> bool:
    if agreed.cancelled or body["status"] == "cancelled":
        return agreed.cancelled and body["status"] == "cancelled"
    return {line["line_no"]: _line(line) for line in body["lines"]} == agreed.lines


def _line(body: Mapping[str, Any]) -> Line:
    return Line(
        item=body["item"],
        qty=Decimal(body["qty"]),
        unit_price=Decimal(body["unit_price"]),
        discount_pct=Decimal(body["discount_pct"]),
        requested_on=dt.date.fromisoformat(body["requested_on"]),
        promised_on=dt.date.fromisoformat(body["promised_on"]),
    )


def _entered(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The ERP's orders that carry a number of ours, by that number without its amendment."""
    found: dict[str, list[dict[str, Any]]] = {}
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        query = "SELECT erp_id, reference, body FROM sales_order WHERE reference IS NOT NULL"
        for erp_id, reference, body in db.execute(query):
            order = {**json.loads(body), "erp_id": erp_id}
            found.setdefault(reference.partition("/")[0], []).append(order)
    return found


def waiting(work: Work) -> int:
    """Deliveries that are not through, and rows that wait for others."""
    deliveries = sa.select(sa.func.count()).select_from(Delivery)
    busy = work.session.scalar(deliveries.where(Delivery.state != DeliveryState.DONE))
    parked = work.session.scalar(sa.select(sa.func.count()).select_from(ParkedRow))
    return (busy or 0) + (parked or 0)
