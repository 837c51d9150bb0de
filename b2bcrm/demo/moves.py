"""Promises that were moved when a line slipped, with the cause that the ERP's documents show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from b2bcrm.demo.facts import Facts
from b2bcrm.demo.orders import LoadedLine, LoadedOrder, first_seen
from b2bcrm.demo.past import STORY_PO
from b2bcrm.demo.scene import Person, Scene, at, local_day
from b2bcrm.fulfillment.actions import REASONS
from b2bcrm.fulfillment.events import PromiseMoved
from b2bcrm.fulfillment.planning.facts import ASKED_FOR
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState

_CONFIRMED = Message("Order confirmed")
_SAID = 0.4  # of the late lines: the customer was told in time
_ENOUGH = 0.75  # of those: the new date was kept
_ASKED = 0.2  # of those without a late part: the customer had asked for the later day himself


def write_history(
    work: Work, scene: Scene, order: LoadedOrder, late: Mapping[str, tuple[str, str]], facts: Facts
) -> None:
    """The promises of every line; sets its promised date to the last one."""
    for line in order.lines:
        first = first_seen(work, order, line)
        if order.ours:
            first |= {"kind": "first", "reason": _CONFIRMED}
            first["by_name"] = scene.customers[order.row["account_id"]].owner.name
        line.promises = [first]
        if order.row["state"] is OrderState.CLOSED and order.row["customer_po"] != STORY_PO:
            _move(scene, order, line, late, facts)


def _move(
    scene: Scene,
    order: LoadedOrder,
    line: LoadedLine,
    late: Mapping[str, tuple[str, str]],
    facts: Facts,
) -> None:
    promised, arrived = line.row["promised_on"], line.delivered_on
    rng = scene.rng("moved", order.row["no"], line.row["line_no"])
    if arrived is None or arrived <= promised or rng.random() > _SAID:
        return
    customer = scene.customers[order.row["account_id"]]
    earliest = local_day(order.row["confirmed_at"]) + dt.timedelta(days=1)
    said_on = max(scene.past_workday(customer, promised, rng.randint(1, 7)), earliest)
    if said_on >= promised:
        return
    kept = rng.random() < _ENOUGH
    new_on = arrived if kept else promised + (arrived - promised) // 2
    if new_on <= promised:
        return
    ref = f"{order.row['erp_no']}/{line.row['line_no']}"
    code, reason = _cause(late.get(ref), asked_for=rng.random() < _ASKED)
    by = scene.staff["Chen Wei-Ting"]
    moment = at(said_on, rng.randint(9 * 60, 17 * 60))
    line.promises.append(
        {
            "order_line_id": line.row["id"],
            "kind": "moved",
            "promised_on": new_on,
            "previous_on": promised,
            "reason_code": code,
            "reason": reason,
            "by_name": by.name,
            "at": moment,
        }
    )
    line.row["promised_on"] = new_on
    _tell(order, line, facts, code=code, reason=reason, moment=moment, by=by)


def _cause(material: tuple[str, str] | None, *, asked_for: bool) -> tuple[str, Message]:
    if material is None:
        code = ASKED_FOR if asked_for else "capacity"
        return code, REASONS[code]
    text = f"{material[0]}, {material[1]}"
    return "material", Message("%(reason)s: %(text)s", reason=REASONS["material"], text=text)


def _tell(
    order: LoadedOrder,
    line: LoadedLine,
    facts: Facts,
    *,
    code: str,
    reason: Message,
    moment: dt.datetime,
    by: Person,
) -> None:
    facts.add(
        PromiseMoved(
            subject_id=order.row["id"],
            order_id=order.row["id"],
            account_id=order.row["account_id"],
            order_no=order.row["no"],
            line_no=line.row["line_no"],
            previous_on=line.promises[-1]["previous_on"],
            promised_on=line.promises[-1]["promised_on"],
            reason_code=code,
            reason=reason,
        ),
        moment,
        by,
    )
