"""Ways to get parts, made ready for the book: faults named, operations unfolded, cycles cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from b2bcrm.fulfillment.planning.engine.book import MOST, MOST_FACTOR, NEVER, Problem
from b2bcrm.fulfillment.planning.engine.records import NONE, ONE, Component, Operation, Source


@dataclass(frozen=True, slots=True)
class Way:
    """A source with at most one operation: indices and exact factors."""

    part: int
    days: int
    calendar: int
    centre: int
    setup: int
    run: Fraction
    spread: int
    fence: int
    until: int
    stands_in: bool
    least: int
    step: int
    components: tuple[tuple[int, Fraction], ...]


@dataclass
class Shop:
    """What sources refer to: the index of each name. ``parts`` grows by work in progress."""

    parts: dict[str, int]
    centres: Mapping[str, int]
    calendars: Mapping[str, int]


def ways_of(
    sources: Iterable[Source], shop: Shop, problems: list[Problem]
) -> tuple[dict[int, list[Way]], list[int]]:
    """The ways to get each part, and the parts in an order in which components come first."""
    ways: dict[int, list[Way]] = {}
    for source in sources:
        fault = _fault(source, shop)
        if fault:
            problems.append(fault)
            continue
        if source.until is not None and source.until < max(0, source.fence):
            continue  # its time is over
        for way in _unfolded(source, shop, number=len(ways.get(shop.parts[source.part], ()))):
            ways.setdefault(way.part, []).append(way)
    order = _components_first(ways, list(shop.parts), problems)
    return ways, order


def _fault(source: Source, shop: Shop) -> Problem | None:
    """What makes a source unusable, if anything does."""
    name = source.part
    components = [c for operation in source.operations for c in operation.components]
    factors = [c.qty / (1 - c.scrap) if c.scrap < 1 else ONE * -1 for c in components]
    factors += [source.output, *(operation.run for operation in source.operations if operation.run)]
    parts = [one for one in (name, *(c.part for c in components)) if one not in shop.parts]
    centres = [o.centre for o in source.operations if o.centre and o.centre not in shop.centres]
    wrong = [f for f in factors if f <= 0 or max(f.numerator, f.denominator) > MOST_FACTOR]
    lots, centred = (source.least, source.step), any(o.centre for o in source.operations)
    faults = {
        "unknown part": f"{parts[0]} is no part" if parts else "",
        "unknown work centre": f"{centres[0]} is no work centre" if centres else "",
        "unknown calendar": f"{source.calendar} is no calendar"
        if source.calendar not in shop.calendars
        else "",
        "missing lead time": "no lead time is known"
        if source.days is None or source.days < 0
        else "",
        "wrong lot size": f"lots of {lots} cannot be" if min(lots) < 1 or max(lots) > MOST else "",
        "wrong factor": "a quantity, scrap or yield cannot be"
        if wrong or source.output > 1
        else "",
        "wrong substitute": "what stands in is one other part and takes no hours"
        if source.stands_in and ([len(o.components) for o in source.operations] != [1] or centred)
        else "",
    }
    for kind, text in faults.items():
        if text:
            return Problem(kind, name, f"{text}; the source is not used")
    return None


def _unfolded(source: Source, shop: Shop, number: int) -> Iterable[Way]:
    """One way per operation; between two of them lies a part of work in progress."""
    calendar = shop.calendars[source.calendar]
    steps = list(source.operations) or [Operation()]
    wip = -1
    for position, step in enumerate(steps):
        last = position == len(steps) - 1
        gross = 1 / source.output if last else ONE
        components = [
            (shop.parts[part], qty * gross) for part, qty in _merged(step.components).items()
        ]
        if wip >= 0:
            components.append((wip, gross))
        part = shop.parts[source.part]
        if not last:
            name = f"{source.part} / {number + 1} / {position + 1}"
            part = wip = shop.parts.setdefault(name, len(shop.parts))
        yield Way(
            part=part,
            days=step.days + (source.days or 0 if last else 0),
            calendar=calendar,
            centre=shop.centres[step.centre] if step.centre else -1,
            setup=step.setup,
            run=step.run * gross,
            spread=max(1, step.days) if step.spread else 1,
            fence=max(0, source.fence),
            # what is made in several steps is begun by then, with the first of them
            until=NEVER if source.until is None or position else source.until,
            stands_in=source.stands_in,
            least=source.least if last else 1,
            step=source.step if last else 1,
            components=tuple(components),
        )


def _merged(components: Sequence[Component]) -> dict[str, Fraction]:
    """Pieces of each part, with what is lost of them."""
    found: dict[str, Fraction] = {}
    for one in components:
        found[one.part] = found.get(one.part, NONE) + one.qty / (1 - one.scrap)
    return found


def _components_first(
    ways: dict[int, list[Way]], names: Sequence[str], problems: list[Problem]
) -> list[int]:
    """All parts, components before what is made of them; ways that close a circle are removed."""
    order: list[int] = []
    state = [0] * len(names)  # 1: on the path, 2: done
    for root in range(len(names)):
        path: list[tuple[int, list[int]]] = []
        if state[root] == 0:
            state[root] = 1
            path.append((root, _needed(ways, root)))
        while path:
            part, left = path[-1]
            if not left:
                state[part] = 2
                order.append(part)
                path.pop()
                continue
            child = left.pop()
            if state[child] == 0:
                state[child] = 1
                path.append((child, _needed(ways, child)))
            elif state[child] == 1:
                circle = [one for one, _ in path]
                problems += _opened(ways, names, circle[circle.index(child) :])
    return order


def _opened(
    ways: dict[int, list[Way]], names: Sequence[str], circle: Sequence[int]
) -> list[Problem]:
    """Remove the ways that close a circle: where substitutes do, only those of one step of it.

    Nothing where it was opened before.
    """
    steps = list(zip(circle, [*circle[1:], circle[0]], strict=True))
    closing = {step: [w for w in ways[step[0]] if _takes(w, step[1])] for step in steps}
    if not all(closing.values()):
        return []
    weak = [step for step in steps if all(way.stands_in for way in closing[step])]
    for part, below in weak[-1:] or steps:
        ways[part] = [way for way in ways[part] if not _takes(way, below)]
    text = " > ".join(names[one] for one in [*circle, circle[0]])
    kind = "circle of substitutes" if weak else "cyclic bill of material"
    return [Problem(kind, names[(weak[-1] if weak else steps[0])[0]], text)]


def _takes(way: Way, part: int) -> bool:
    return any(part == component for component, _ in way.components)


def _needed(ways: Mapping[int, list[Way]], part: int) -> list[int]:
    """The components of a part, the first one last."""
    return [c for way in reversed(ways.get(part, [])) for c, _ in reversed(way.components)]
