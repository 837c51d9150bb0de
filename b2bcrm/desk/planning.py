"""Sales planning: booked and weighted against target, by month and family; and the targets."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel.dates import format_skeleton
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from b2bcrm.catalog import queries as catalog
from b2bcrm.catalog.actions import TARGET_ROLES, set_target
from b2bcrm.desk import links
from b2bcrm.desk.planning_facts import (
    MONTHS,
    Behind,
    Cell,
    Plan,
    behind,
    month_after,
    plan,
    rates,
)
from b2bcrm.kernel.errors import NotAllowed, not_found
from b2bcrm.kernel.money import MAX_AMOUNT, Money, round_to
from b2bcrm.kernel.words import Message, show_decimal
from b2bcrm.kernel.work import Work
from b2bcrm.web.answers import see_other
from b2bcrm.web.export import Column, export
from b2bcrm.web.fields import Number
from b2bcrm.web.forms import read_form
from b2bcrm.web.locale import current_locale, say
from b2bcrm.web.work import After, in_work

bp = Blueprint("desk_planning", __name__, template_folder="templates", url_prefix="/planning")

MILLION = Decimal(10**6)
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


def month_name(month: dt.date) -> str:
    """``Nov 2026``, ``2026年11月``."""
    return str(format_skeleton("yMMM", month, locale=current_locale()))


def _asked_month(text: str) -> dt.date | None:
    found = _MONTH.fullmatch(text)
    return dt.date(int(found[1]), int(found[2]), 1) if found else None


def _first(work: Work) -> dt.date:
    return _asked_month(request.args.get("from", "")) or work.today.replace(day=1)


def _key(month: dt.date) -> str:
    return f"{month:%Y-%m}"


@dataclass(frozen=True)
class _Row:
    """One line of the download."""

    month: dt.date
    family: str
    cell: Cell


COLUMNS: tuple[Column[_Row], ...] = (
    Column(Message("Month"), lambda r: r.month),
    Column(Message("Family"), lambda r: r.family),
    Column(Message("Booked"), lambda r: round_to(r.cell.booked, 2)),
    Column(Message("Likely quotes, weighted"), lambda r: round_to(r.cell.likely, 2)),
    Column(Message("Early quotes, weighted"), lambda r: round_to(r.cell.early, 2)),
    Column(Message("Forecast"), lambda r: round_to(r.cell.forecast, 2)),
    Column(Message("Target"), lambda r: r.cell.target),
    Column(Message("Gap"), lambda r: round_to(r.cell.gap, 2)),
)
BEHIND_COLUMNS: tuple[Column[Behind], ...] = (
    Column(Message("Number"), lambda r: r.number),
    Column(Message("Line"), lambda r: r.line_no),
    Column(Message("Account"), lambda r: r.account),
    Column(Message("Item"), lambda r: r.item_no),
    Column(Message("Quantity"), lambda r: r.qty),
    Column(Message("Day"), lambda r: r.on),
    Column(Message("Net"), lambda r: r.net),
    Column(Message("Currency"), lambda r: r.net.currency),
    Column(Message("Chance, %%"), lambda r: r.win_pct),
    Column(Message("Counted, base currency"), lambda r: round_to(r.counted, 2)),
)


@bp.get("")
@in_work(read_only=True)
def overview(work: Work) -> ResponseReturnValue | After:
    """The plan as key figures, chart and table."""
    first = _first(work)
    found = plan(work, first)
    if wanted := request.args.get("format"):
        rows = [_Row(m, f, found.cell(m, f)) for m in found.months for f in found.families]
        return export(rows, COLUMNS, wanted, f"planning-{_key(first)}")
    scale = MILLION if found.whole.forecast + found.whole.target >= MILLION else Decimal(1)
    return render_template(
        "desk/planning.html",
        plan=found,
        shown_families=[f for f in found.families if _has_figures(found, f)],
        names=_names(work),
        chart=_chart(found, scale),
        rate_text=", ".join(
            f"{code} {show_decimal(found.rates.known[code])}" for code in sorted(found.rates.used)
        ),
        scale=scale,
        month_name=month_name,
        month_key=_key,
        earlier=_key(month_after(first, -MONTHS)),
        later=_key(month_after(first, MONTHS)),
        first=_key(first),
        may_set=work.actor.role in TARGET_ROLES,
        to=links,
        as_money=Money.of,
    )


def _has_figures(found: Plan, family: str) -> bool:
    whole = found.of_family(family)
    return bool(whole.forecast or whole.target)


def _names(work: Work) -> dict[str, str]:
    locale = current_locale()
    known = catalog.family_names(work.session)
    return {code: family.name_in(locale) for code, family in known.items()}


def _chart(found: Plan, scale: Decimal) -> dict[str, Any]:
    sums = [found.of_month(month) for month in found.months]

    def bars(name: Message, color: str, values: Sequence[Decimal]) -> dict[str, Any]:
        data = [float(round_to(value / scale, 2)) for value in values]
        return {"name": say(name), "kind": "bar", "stack": "f", "color": color, "data": data}

    series = [
        bars(Message("Booked"), "data-1", [cell.booked for cell in sums]),
        bars(Message("Likely quotes, weighted"), "data-2", [cell.likely for cell in sums]),
        bars(Message("Early quotes, weighted"), "data-4", [cell.early for cell in sums]),
    ]
    if any(cell.target for cell in sums):
        target = bars(Message("Target"), "ink", [cell.target for cell in sums])
        series.append(target | {"kind": "tick", "stack": None})
    return {
        "categories": [month_name(month) for month in found.months],
        "unit": "",
        "series": series,
    }


@bp.get("/cell")
@in_work(read_only=True)
def cell(work: Work) -> ResponseReturnValue | After:
    """The orders and quotes behind one month of one family."""
    month = _asked_month(request.args.get("month", ""))
    family = request.args.get("family", "")
    if month is None or not family:
        raise not_found(Message("This month"))
    rows = behind(work, month, family)
    if wanted := request.args.get("format"):
        return export(rows, BEHIND_COLUMNS, wanted, f"planning-{_key(month)}")
    return render_template(
        "desk/planning_cell.html",
        rows=rows,
        month=month,
        key=_key(month),
        family=family,
        name=_names(work).get(family, family),
        base=rates(work).base,
        month_name=month_name,
        to=links,
        as_money=Money.of,
    )


class TargetSchema(Schema):
    """One target; an empty amount removes it."""

    month = fields.Date(required=True)
    family = fields.String(required=True, validate=validate.Length(min=1, max=40))
    amount = Number(
        load_default=Decimal(0),
        validate=validate.Range(min=0, max=MAX_AMOUNT, max_inclusive=False),
    )


class TargetsSchema(Schema):
    """The whole grid."""

    targets = fields.List(fields.Nested(TargetSchema), load_default=list)


@bp.get("/targets")
@in_work(read_only=True)
def targets(work: Work) -> ResponseReturnValue:
    """The grid of targets to fill in."""
    if work.actor.role not in TARGET_ROLES:
        raise NotAllowed(Message("Only a sales manager sets targets."))
    return _targets_form(work, _first(work), {}, {})


@bp.post("/targets")
@in_work()
def targets_save(work: Work) -> ResponseReturnValue:
    """Keep the grid."""
    first = _first(work)
    form = read_form(TargetsSchema())
    if form.ok:
        for row in form.data["targets"]:
            amount = round_to(row["amount"], 4)
            set_target(work, month=row["month"], family=row["family"], amount=amount)
        return see_other(f"/planning?from={_key(first)}", Message("Targets saved."))
    given = form.values.get("targets", [])
    typed = {(row.get("month"), row.get("family")): row.get("amount", "") for row in given}
    wrong = {
        (row.get("month"), row.get("family")): form.errors[name]
        for n, row in enumerate(given)
        if (name := f"targets.{n}.amount") in form.errors
    }
    return _targets_form(work, first, typed, wrong), 422


def _targets_form(
    work: Work,
    first: dt.date,
    typed: dict[tuple[str | None, str | None], str],
    wrong: dict[tuple[str | None, str | None], Message],
) -> str:
    months = [month_after(first, n) for n in range(MONTHS)]
    return render_template(
        "desk/planning_targets.html",
        months=months,
        families=catalog.families(work.session),
        names=_names(work),
        stored=catalog.targets(work.session, months[0], months[-1]),
        typed=typed,
        wrong=wrong,
        first=_key(first),
        base=rates(work).base,
        month_name=month_name,
        earlier=_key(month_after(first, -MONTHS)),
        later=_key(month_after(first, MONTHS)),
    )
