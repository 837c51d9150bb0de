"""Finding dates: from the live plan where there is one, else from stock and lead times.

The plan knows components, hours and every other promise. Where none is published yet, or an item
is not in it, what is promised is what the ATP of the item alone says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa

from b2bcrm.catalog.models import Item, ItemKind
from b2bcrm.fulfillment.planning import atp
from b2bcrm.fulfillment.planning.allocations import cap_sentence
from b2bcrm.fulfillment.planning.plant import Allocation, part_name
from b2bcrm.fulfillment.planning.takes import Wish
from b2bcrm.fulfillment.queries.allocations import caps
from b2bcrm.fulfillment.snapshot import live, pools, ways, witness
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.promise import Answer, AskLine, Source

if TYPE_CHECKING:
    from b2bcrm.fulfillment.planning.standing import Standing


@dataclass(frozen=True)
class Found:
    """An answer and where it is met from; site None: nothing to reserve (a service).

    ``details`` are the components and hours below ``takes``; ``customer_class`` is the asker's.
    """

    line: AskLine
    answer: Answer
    site_id: int | None
    takes: tuple[atp.Supply, ...]
    ready_on: dt.date | None = None
    details: tuple[atp.Supply, ...] = ()
    customer_class: str = ""


def find(
    work: Work, lines: Sequence[AskLine], *, without: Sequence[str] = (), late: Collection[str] = ()
) -> list[Found]:
    """Answer the lines one after another; each sees what the ones before it would take.

    What the holds named in ``without`` keep counts as free. ``late`` are references of
    lines that the plan is to have on the wished day, where it could have them before.
    """
    if not lines:
        return []
    way = ways.take(work, [line.account_id for line in lines])
    plan = live.take(work, without=without)
    by_plan = {} if plan is None else _from_plan(work, lines, way, plan, late)
    rest = [line for n, line in enumerate(lines) if n not in by_plan]
    by_atp = iter(_from_pools(work, rest, way, without))
    found = [by_plan.get(n) or next(by_atp) for n in range(len(lines))]
    return [replace(one, customer_class=way.customer_class(one.line.account_id)) for one in found]


def by_wish(line: AskLine, site_id: int, takes: Sequence[atp.Supply], way: ways.Ways) -> Decimal:
    """Pieces that are there by the wanted day."""
    return sum(
        (
            take.qty
            for take in takes
            if way.arrives(line.account_id, site_id, [take], take.on) <= line.wanted_on
        ),
        Decimal(0),
    )


def sources(takes: Iterable[atp.Supply], details: Iterable[atp.Supply] = ()) -> tuple[Source, ...]:
    """A witness as the port tells it."""
    return tuple(
        Source(take.kind, take.no, take.qty, take.on, take.item) for take in (*takes, *details)
    )


# ------------------------------------------------------------------------------ from the plan
def _from_plan(
    work: Work, lines: Sequence[AskLine], way: ways.Ways, plan: live.Live, late: Collection[str]
) -> dict[int, Found]:
    """Answers by the line's place among ``lines``, for items that the plan knows."""
    ids = {line.item_id for line in lines}
    query = sa.select(Item.id, Item.no).where(Item.id.in_(ids), Item.kind != ItemKind.SERVICE)
    nos = dict(work.rows(query))
    sites = list(work.rows(sa.select(Site.id, Site.code).order_by(Site.id)))
    as_of = plan.data_as_of or pools.data_as_of(work)
    with plan.standing() as standing:
        asked: list[tuple[int, dict[str, int]]] = []
        for n, line in enumerate(lines):
            parts = _parts(standing, nos.get(line.item_id), sites, line.site_id)
            if parts:
                asked.append((n, parts))
        offers = standing.offers(
            [
                Wish(
                    list(parts),
                    standing.pieces(nos[lines[n].item_id], lines[n].qty),
                    _wish(lines[n], next(iter(parts.values())), way, work.today),
                    way.customer_class(lines[n].account_id),
                )
                for n, parts in asked
            ],
            late={at for at, (n, _) in enumerate(asked) if lines[n].ref in late},
        )
        capped = caps(work, nos.values())
        centers = witness.centers(work, (offer.decides for _, offer in offers))
        found = {}
        for (n, parts), (part, offer) in zip(asked, offers, strict=True):
            full = None if offer.full is None else work.today + dt.timedelta(days=offer.full)
            takes = [witness.supply(take, part, standing, work.today) for take in offer.takes]
            decides = offer.decides and witness.supply(offer.decides, part, standing, work.today)
            reason = witness.reason(lines[n].qty, takes, decides, centers)
            found[n] = _answered(
                lines[n], parts[part], full, takes, reason=reason, way=way, as_of=as_of
            )
            found[n] = _with_cap(found[n], part, capped, way)
        return found


def _parts(
    standing: Standing, no: str | None, sites: Sequence[tuple[int, str]], wanted: int | None
) -> dict[str, int]:
    """The parts a wish may be met from, with their sites: the named site's, or every one."""
    if no is None:
        return {}
    known = {
        part_name(no, code): site_id
        for site_id, code in sites
        if standing.knows(part_name(no, code))
    }
    named = {part: site_id for part, site_id in known.items() if site_id == wanted}
    return named or known


def _wish(line: AskLine, site_id: int, way: ways.Ways, today: dt.date) -> int:
    """The last day, counted from today, on which pieces at our door are in time; -1: none."""
    last = (line.wanted_on - today).days
    for day in range(last, -1, -1):
        on = today + dt.timedelta(days=day)
        kind = atp.STOCK if day == 0 else atp.PLANNED
        ready = [atp.Supply(kind, "", line.qty, on)]
        if way.arrives(line.account_id, site_id, ready, on) <= line.wanted_on:
            return day
    return -1


def _answered(
    line: AskLine,
    site_id: int,
    ready_on: dt.date | None,
    supplies: Sequence[atp.Supply],
    *,
    reason: Message,
    way: ways.Ways,
    as_of: dt.datetime | None,
) -> Found:
    """The answer to a line that can be met from the plan, or cannot (``ready_on`` None)."""
    takes = tuple(one for one in supplies if not one.item and one.kind != atp.CAPACITY)
    details = tuple(one for one in supplies if one.item or one.kind == atp.CAPACITY)
    there = by_wish(line, site_id, takes, way)
    if ready_on is None:
        text = Message("No date within the plan: a component, a lead time or hours are missing.")
        return Found(line, Answer(line.ref, None, there, text, (), as_of), None, ())
    told = _transported(reason, line, way)
    full_on = way.arrives(line.account_id, site_id, takes, ready_on)
    answer = Answer(line.ref, full_on, there, told, sources(takes, details), as_of)
    return Found(line, answer, site_id, takes, ready_on, details)


def _with_cap(found: Found, part: str, caps: Iterable[Allocation], way: ways.Ways) -> Found:
    """An answer later than wished names the cap that its customer's class meets on that day."""
    line, answer = found.line, found.answer
    if answer.full_on is not None and answer.full_on <= line.wanted_on:
        return found
    who = way.customer_class(line.account_id)
    for cap in caps:
        mine = part_name(cap.item, cap.site) == part and cap.customer_class == who
        if mine and cap.first_on <= line.wanted_on <= cap.last_on:
            why = Message("%(reason)s; %(cap)s", reason=answer.reason, cap=cap_sentence(cap))
            return replace(found, answer=replace(answer, reason=why))
    return found


# ------------------------------------------------------------------- from stock and lead times
def _from_pools(
    work: Work, lines: Sequence[AskLine], way: ways.Ways, without: Sequence[str]
) -> list[Found]:
    if not lines:
        return []
    known = pools.take(work, [(line.item_id, line.site_id) for line in lines], without=without)
    return [_from_pool(work.today, line, known, way) for line in lines]


def _from_pool(today: dt.date, line: AskLine, known: pools.Pools, way: ways.Ways) -> Found:
    if line.item_id in known.services:
        text = Message("A service needs no material.")
        answer = Answer(line.ref, today, line.qty, text, (), known.data_as_of)
        return Found(line, answer, None, ())
    best: tuple[int, atp.Pool, atp.Offer] | None = None
    for site_id, pool in known.of(line.item_id, line.site_id):
        offer = atp.promise(pool, line.qty, line.wanted_on)
        if best is None or _rank(offer) < _rank(best[2]):
            best = (site_id, pool, offer)
    if best is None:
        text = Message("No supply and no lead time are known.")
        return Found(line, Answer(line.ref, None, Decimal(0), text), None, ())
    site_id, pool, offer = best
    pool.take(offer)
    full_on, reason = offer.full_on, offer.reason
    if full_on is not None:
        full_on = way.arrives(line.account_id, site_id, offer.takes, full_on)
        reason = _transported(reason, line, way)
    there = by_wish(line, site_id, offer.takes, way) if offer.takes else offer.by_wish
    answer = Answer(line.ref, full_on, there, reason, sources(offer.takes), known.data_as_of)
    return Found(line, answer, site_id, offer.takes, offer.full_on)


def _transported(reason: Message, line: AskLine, way: ways.Ways) -> Message:
    transit = way.transit(line.account_id)
    if not transit:
        return reason
    return Message("%(reason)s, then %(days)s days of transport", reason=reason, days=transit)


def _rank(offer: atp.Offer) -> tuple[dt.date, Decimal]:
    return (offer.full_on or dt.date.max, -offer.by_wish)
