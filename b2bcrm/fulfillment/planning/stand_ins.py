"""Measures by which something else stands in for what is short: another item, another site. Pure.

The engine takes it only where no other source of the part is in time, and only as far as it is
free. So what our plan places is served by it; work orders of the ERP keep their components.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from b2bcrm.fulfillment.planning.bills import factor
from b2bcrm.fulfillment.planning.engine.changing import Change, Instead, changed, made_with
from b2bcrm.fulfillment.planning.engine.explaining import witness_of
from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.engine.plan import plan_of
from b2bcrm.fulfillment.planning.ground import Ground
from b2bcrm.fulfillment.planning.measures import OtherSite, Substitute
from b2bcrm.fulfillment.planning.plant import part_name, sites_by_item
from b2bcrm.kernel.words import Message

StandIn = Substitute | OtherSite


class Taken(NamedTuple):
    """``qty`` of an item that something stands in for, and the order lines that this is for."""

    qty: Decimal
    lines: Sequence[str]


def instead(ground: Ground, measure: StandIn, before: Sequence[Change]) -> list[Instead] | Message:
    """The changes of the plan's book after those before, or why the measure changes nothing."""
    found: list[Instead] | Message
    if isinstance(measure, Substitute):
        found = _substitute(ground, measure)
    else:
        found = _other_site(ground, measure)
    if isinstance(found, Message):
        return found
    book, names = changed(ground.plan.book, ground.plan.names, before)
    closed = any(
        made_with(book, [names.parts.index(one.part)])[names.parts.index(one.by)] for one in found
    )
    return _circle(measure) if closed else found


def _circle(measure: StandIn) -> Message:
    """Why what a part goes into, or stands in for, cannot take its place."""
    if isinstance(measure, Substitute):
        return Message(
            "%(item)s goes into %(by)s or stands in for it, so it cannot be the other way round.",
            by=measure.by,
            item=measure.item,
        )
    return Message(
        "What %(source)s has of %(item)s comes from %(site)s.",
        source=measure.source,
        item=measure.item,
        site=measure.site,
    )


def _substitute(ground: Ground, measure: Substitute) -> list[Instead] | Message:
    """Wherever both items are."""
    item, by = measure.item, measure.by
    if item == by:
        return Message("An item cannot stand in for itself.")
    sites = sites_by_item(ground.plan.names.parts)
    for one in (item, by):
        if one not in sites:
            return not_planned(one)
    both = [site for site in sites[item] if site in sites[by]]
    if not both:
        return Message("%(by)s is at none of the sites of %(item)s.", by=by, item=item)
    scales = Fraction(ground.scales.get(by, 1), ground.scales.get(item, 1))
    ratio = factor(Fraction(measure.ratio) * scales)
    return [
        Instead(part_name(item, site), part_name(by, site), ratio.numerator, ratio.denominator)
        for site in both
    ]


def _other_site(ground: Ground, measure: OtherSite) -> list[Instead] | Message:
    if measure.site == measure.source:
        return Message("A site cannot stand in for itself.")
    sites = sites_by_item(ground.plan.names.parts).get(measure.item)
    if not sites:
        return not_planned(measure.item)
    for site in (measure.site, measure.source):
        if site not in sites:
            return Message("%(item)s is not at %(site)s in the plan.", item=measure.item, site=site)
    part, by = (part_name(measure.item, site) for site in (measure.site, measure.source))
    return [Instead(part, by, days=measure.days)]


def not_planned(item: str) -> Message:
    """Why nothing can be tried with an item."""
    return Message("%(item)s is not in the plan.", item=item)


def taken(
    ground: Ground, plan: Planned, made: Mapping[StandIn, Sequence[Change]]
) -> dict[StandIn, Taken]:
    """What the plan takes by the changes that were made for each measure."""
    if not made:
        return {}
    witness = witness_of(plan.book, plan_of(plan.book, plan.ledger))
    found = {}
    for measure, changes in made.items():
        rows = np.flatnonzero(np.isin(witness.source, _sources(plan, changes)))
        lines = np.searchsorted(witness.line_first, rows, side="right") - 1
        keys = dict.fromkeys(ground.key_of(plan.names.lines[n]) for n in lines.tolist())
        qty = Decimal(int(witness.qty[rows].sum())) / ground.scales.get(measure.item, 1)
        found[measure] = Taken(qty, [key for key in keys if key])
    return found


def _sources(plan: Planned, changes: Sequence[Change]) -> list[int]:
    """Sources of a plan's book that the changes made."""
    book, parts = plan.book, plan.names.parts
    pairs = {
        (parts.index(one.part), parts.index(one.by)) for one in changes if isinstance(one, Instead)
    }
    return [
        source
        for source in np.flatnonzero(book.source_stands_in).tolist()
        if (book.source_part[source], book.component_part[book.source_component[source]]) in pairs
    ]
