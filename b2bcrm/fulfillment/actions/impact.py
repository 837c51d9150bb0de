"""Forward impact: what rests on a purchase order, work order, work centre or item.

One answer for what the ERP planned itself and for what our plan placed: documents are followed up
to the lines they were made for, and the plan's pegs are read the other way round.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.catalog.models import Item, WorkCenter
from b2bcrm.fulfillment.models import (
    OPEN_WORK,
    FirmPeg,
    LineProjection,
    Operation,
    PurchaseLine,
    ShortPart,
    WorkOrder,
)
from b2bcrm.fulfillment.planning.plant import part_name
from b2bcrm.fulfillment.queries.board import staff_only
from b2bcrm.fulfillment.queries.open_lines import OpenLine, line_ids, open_lines
from b2bcrm.fulfillment.queries.planned_names import HeldLine, named
from b2bcrm.fulfillment.queries.resting import lines_of, lines_selling, refs_using
from b2bcrm.fulfillment.snapshot import ways
from b2bcrm.fulfillment.snapshot.loaded import LoadedPlan, loaded
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work


class Thing(enum.StrEnum):
    """What may be asked about."""

    PURCHASE = "purchase_order"
    WORK = "work_order"
    CENTER = "work_center"
    ITEM = "item"


@dataclass(frozen=True)
class Subject:
    """What was asked about: ``name`` is a supplier, work centre or item name, ``on`` its day."""

    kind: Thing
    no: str
    name: str
    item_no: str = ""
    on: dt.date | None = None
    qty: Decimal | None = None


@dataclass(frozen=True)
class Resting:
    """A line that rests on it. ``slack``: working days that a document may slip; None: unknown.

    ``needed_on`` is told where our plan placed it.
    """

    line: OpenLine
    slack: int | None = None
    needed_on: dt.date | None = None


@dataclass(frozen=True)
class ForwardImpact:
    """``plan_at`` None: no plan is loaded, so only the ERP's own documents were followed."""

    subject: Subject
    lines: list[Resting]
    quotes: list[HeldLine] = field(default_factory=list)
    plan_at: dt.datetime | None = None

    @property
    def customers(self) -> int:
        """How many accounts have such a line."""
        return len({one.line.account_id for one in self.lines})

    @property
    def value(self) -> Decimal:
        """Open value of the lines in base currency."""
        return sum((one.line.value for one in self.lines), Decimal(0))


def impact(work: Work, kind: Thing, no: str) -> ForwardImpact:
    """Lines and quotes that rest on it, the earliest promise first. Raises NotFound."""
    staff_only(work)
    subject = _subject(work, kind, no)
    kind = subject.kind
    resting = dict.fromkeys(_by_documents(work, kind, no), Resting)
    slack = _slack(work, no, resting) if kind in {Thing.PURCHASE, Thing.WORK} else {}
    found = {line.id: Resting(line, slack.get(line.id)) for line in open_lines(work, list(resting))}
    plan, quotes = loaded(work), []
    if plan is not None:
        quotes = _by_plan(work, plan, kind, no, found)
    lines = sorted(found.values(), key=lambda one: (one.line.wanted_on, one.line.key))
    return ForwardImpact(subject, lines, quotes, plan.made_at if plan else None)


# ---------------------------------------------------------------------------------- the subject
def _subject(work: Work, kind: Thing, no: str) -> Subject:
    session = work.session
    match kind:
        case Thing.PURCHASE:
            query = sa.select(PurchaseLine).where(PurchaseLine.po_no == no)
            buy = session.scalars(query.order_by(PurchaseLine.line_no)).first()
            if buy is not None:
                left = buy.qty - buy.received_qty
                return Subject(kind, no, buy.supplier_name, buy.item_no, buy.due_on, left)
            return _subject(work, Thing.WORK, no)  # a short part waits for either
        case Thing.WORK:
            make = session.scalars(sa.select(WorkOrder).where(WorkOrder.no == no)).first()
            if make is not None:
                return Subject(kind, no, "", make.item_no, make.planned_end_on, make.qty)
        case Thing.CENTER:
            name = session.scalar(sa.select(WorkCenter.name).where(WorkCenter.code == no))
            if name is not None:
                return Subject(kind, no, name)
        case Thing.ITEM:
            name = session.scalar(sa.select(Item.name).where(Item.no == no))
            if name is not None:
                return Subject(kind, no, name, no)
    raise not_found(Message("This document"))


# -------------------------------------------------------------------------- the ERP's documents
def _by_documents(work: Work, kind: Thing, no: str) -> set[int]:
    """Lines that documents lead up to, and those whose missing part waits for the document."""
    found = lines_of(work, _refs(work, kind, no))
    if kind is Thing.ITEM:
        found |= lines_of(work, refs_using(work, [no])) | set(lines_selling(work, [no]))
    if kind in {Thing.PURCHASE, Thing.WORK}:
        query = sa.select(ShortPart.order_line_id).where(ShortPart.document_no == no)
        found |= set(work.session.scalars(query))
        firm = sa.select(FirmPeg.order_line_id).where(FirmPeg.no == no, FirmPeg.ended_at.is_(None))
        found |= set(work.session.scalars(firm))
    return found


def _refs(work: Work, kind: Thing, no: str) -> set[str]:
    """What the open documents were made for, with work orders themselves."""
    buys = sa.select(PurchaseLine.demand_ref).where(PurchaseLine.status == "open")
    makes = sa.select(WorkOrder.no, WorkOrder.demand_ref).where(WorkOrder.status.in_(OPEN_WORK))
    match kind:
        case Thing.PURCHASE:
            return set(work.session.scalars(buys.where(PurchaseLine.po_no == no)))
        case Thing.WORK:
            makes = makes.where(WorkOrder.no == no)
        case Thing.CENTER:
            makes = makes.join(Operation, Operation.work_order_id == WorkOrder.id).where(
                Operation.work_center == no, Operation.status != "done"
            )
        case Thing.ITEM:
            makes = makes.where(WorkOrder.item_no == no)
    refs = {ref for row in work.rows(makes) for ref in row}
    if kind is Thing.ITEM:
        refs |= set(work.session.scalars(buys.where(PurchaseLine.item_no == no)))
    return refs


def _slack(work: Work, no: str, line_ids: Collection[int]) -> Mapping[int, int]:
    """Working days by which the document may slip before it moves each line's date."""
    query = sa.select(LineProjection.order_line_id, LineProjection.chain).where(
        LineProjection.order_line_id.in_(line_ids)
    )
    found: dict[int, int] = {}
    for key, chain in work.session.execute(query):
        days = [row["slack"] for row in chain if row["no"] == no and row["slack"] is not None]
        if days:
            found[key] = min(days)
    return found


# ----------------------------------------------------------------------------------- the plan
def _by_plan(
    work: Work, plan: LoadedPlan, kind: Thing, no: str, found: dict[int, Resting]
) -> list[HeldLine]:
    """Add the lines whose pegs in the plan lead to it; answers the quotes among them."""
    from b2bcrm.fulfillment.planning.engine.explaining import lines_on

    names, is_document = plan.packed.names, kind in {Thing.PURCHASE, Thing.WORK}
    parts = {part_name(no, site) for site in work.session.scalars(sa.select(Site.code))}
    on = lines_on(
        plan.witness,
        supplies=plan.supplies(no) if is_document else (),
        centres=[n for n, name in enumerate(names.centres) if name == no and kind is Thing.CENTER],
        parts=[n for n, name in enumerate(names.parts) if name in parts and kind is Thing.ITEM],
    )
    told = zip(on.line.tolist(), on.day.tolist(), on.slack.tolist(), strict=True)
    days = {names.lines[n]: (day, slack) for n, day, slack in told}
    meaning = named(work, days)
    wanted: dict[int, tuple[int, int]] = {}
    ids = line_ids(work, meaning.orders.values())
    for name, key in meaning.orders.items():
        if key in ids:  # of several days of a reservation the first one counts
            wanted[ids[key]] = min(days[name], wanted.get(ids[key], days[name]))
    calendars = ways.take(work, ()).sites
    for line in open_lines(work, list(wanted)):
        day, slack = wanted[line.id]
        needed_on = plan.made_on + dt.timedelta(days=day)
        comes_on = needed_on - dt.timedelta(days=slack)
        spare = calendars[line.site_id].days_between(comes_on, needed_on)
        one = found.get(line.id) or Resting(line, spare if is_document else None)
        found[line.id] = replace(one, needed_on=needed_on)
    return sorted(set(meaning.quotes.values()))
