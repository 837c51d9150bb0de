"""Small plants of three levels, drawn at random, with everything that the model knows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st

from b2bcrm.fulfillment.planning.engine.records import (
    Bucket,
    Calendar,
    Cap,
    Component,
    Facts,
    Keep,
    Kind,
    Line,
    Load,
    Need,
    Operation,
    Part,
    Source,
    Supply,
)
from tests.scenarios.plant import HORIZON, WORKING

CHANGES = ["supply"] * 4 + ["line", "line", "hours", "source", "safety", "keep", "cap"]
LEVELS = ("raw", "body", "pump")
FACTORS = st.sampled_from([Fraction(1), Fraction(3), Fraction(1, 3), Fraction(7, 5)])


@st.composite
def sources(draw, level: int, name: str) -> Source:
    """One way to get a part, of parts of the level below."""
    more = {
        "calendar": draw(st.sampled_from(["", "plant"])),
        "fence": draw(st.sampled_from([0, 0, 9])),
        "least": draw(st.sampled_from([1, 1, 4])),
        "step": draw(st.sampled_from([1, 1, 3])),
        "output": draw(st.sampled_from([Fraction(1), Fraction(9, 10)])),
        "until": draw(st.sampled_from([None, None, 12])),
    }
    if level == 0:
        return Source(name, Kind.BUY, draw(st.integers(1, 25)), **more)
    below = [Component(f"{LEVELS[level - 1]}{draw(st.integers(0, 1))}", draw(FACTORS))]
    steps = [
        Operation(
            draw(st.sampled_from(["mill", "saw", ""])),
            Fraction(draw(st.integers(0, 900)), draw(st.integers(1, 3))),
            draw(st.sampled_from([0, 0, 500])),
            draw(st.integers(0, 3)),
            below if n == 0 else (),
            spread=draw(st.booleans()),
        )
        for n in range(draw(st.integers(1, 2)))
    ]
    return Source(name, Kind.MAKE, draw(st.integers(0, 2)), operations=steps, **more)


@st.composite
def stand_ins(draw) -> Source:
    """Another part of the same level, or of the other, that may be taken instead."""
    part, instead = draw(st.sampled_from([("raw0", "raw1"), ("raw1", "raw0"), ("pump0", "raw0")]))
    step = Operation(components=[Component(instead, draw(FACTORS))])
    days, until = draw(st.integers(0, 2)), draw(st.sampled_from([None, 30]))
    return Source(part, Kind.MOVE, days, operations=[step], until=until, stands_in=True)


@st.composite
def plants(draw) -> Facts:
    """A small plant of three levels, with everything that the model knows."""
    names = [f"{level}{n}" for level in LEVELS for n in range(2)]
    qty, day = st.integers(0, 40), st.integers(-3, HORIZON + 5)
    ways = [
        draw(sources(level, f"{LEVELS[level]}{n}"))
        for level in range(3)
        for n in range(2)
        for _ in range(draw(st.integers(1, 2)))
    ]
    ways += [draw(stand_ins()) for _ in range(draw(st.integers(0, 2)))]
    count = draw(st.integers(1, 12))
    lines = [
        Line(
            f"L{n:02}",
            draw(st.sampled_from(names)),
            draw(st.integers(1, 30)),
            draw(st.integers(-2, 100)),
            draw(st.integers(1, 3)),
            together=draw(st.sampled_from(["", "", "S"])),
            transit=draw(st.integers(0, 3)),
            calendar=draw(st.sampled_from(["", "plant"])),
            max_late=draw(st.sampled_from([None, None, 20])),
            shipments=draw(st.sampled_from([1, 2])),
            least=draw(st.sampled_from([1, 1, 4])),
            customer_class=draw(st.sampled_from(["", "A", "B"])),
        )
        for n in range(count)
    ]
    return Facts(
        horizon=HORIZON,
        parts=[Part(name, draw(st.sampled_from([0, 0, 5]))) for name in names],
        sources=ways,
        supplies=[
            Supply(draw(st.sampled_from(names)), draw(qty), draw(day))
            for _ in range(draw(st.integers(0, 10)))
        ],
        lines=lines,
        buckets=[
            Bucket(centre, start, start + 7, draw(st.integers(0, 12_000)))
            for centre in ("mill", "saw")
            for start in range(0, 120, 7 + draw(st.integers(0, 1)))
        ],
        calendars=[Calendar("plant", WORKING)],
        needs=[Need("raw0", draw(qty), 4)],
        loads=[Load("mill", 3, 2_000)],
        classes=["A", "B"],
        keeps=[draw(keeps(names)) for _ in range(draw(st.integers(0, 2)))],
        caps=[draw(caps(names)) for _ in range(draw(st.integers(0, 2)))],
    )


@st.composite
def keeps(draw, parts: list[str]) -> Keep:
    """Something kept for a class."""
    release = draw(st.sampled_from([0, 20, HORIZON]))
    who = draw(st.sampled_from(["A", "B"]))
    return Keep(draw(st.sampled_from(parts)), who, draw(st.integers(0, 20)), release)


@st.composite
def caps(draw, parts: list[str]) -> Cap:
    """A cap of a class."""
    start, days = draw(st.sampled_from([-5, 0, 20])), draw(st.sampled_from([10, HORIZON]))
    who = draw(st.sampled_from(["A", "B"]))
    return Cap(draw(st.sampled_from(parts)), who, draw(st.integers(0, 40)), start, start + days)


def edited(draw, items, edit, new):
    """A list with one item changed, gone or come."""
    act = draw(st.sampled_from(["change", "change", "drop", "add"]))
    place = draw(st.integers(0, max(0, len(items) - 1)))
    if act == "add" or not items:
        return [*items[:place], new, *items[place:]]
    return [*items[:place], *([edit(items[place])] if act == "change" else []), *items[place + 1 :]]


@st.composite
def feeds(draw, told: Facts, number: int) -> Facts:
    """The facts after a feed touched one or two of them, mostly supplies."""
    qty, day = st.integers(0, 40), st.integers(-3, HORIZON + 5)
    for _ in range(draw(st.integers(1, 2))):
        kind = draw(st.sampled_from(CHANGES))
        names = [part.name for part in told.parts]
        if kind == "supply":
            part = draw(st.sampled_from(told.parts)).name
            supplies = edited(
                draw,
                told.supplies,
                lambda s: (
                    replace(s, qty=draw(qty)) if draw(st.booleans()) else replace(s, day=draw(day))
                ),
                Supply(part, draw(qty), draw(day), ref=f"N{number}"),
            )
            told = replace(told, supplies=supplies)
        elif kind == "line":
            part = draw(st.sampled_from(told.parts)).name
            lines = edited(
                draw,
                told.lines,
                lambda line: draw(
                    st.sampled_from(
                        [
                            replace(line, qty=line.qty + 1),
                            replace(line, wish=line.wish + 9),
                            replace(line, rank=draw(day)),
                            replace(line, customer_class="B"),
                            replace(line, priority=draw(st.integers(1, 3))),
                        ]
                    )
                ),
                Line(f"N{number}", part, 5, draw(st.integers(0, 100)), draw(st.integers(1, 3))),
            )
            told = replace(told, lines=list({line.name: line for line in lines}.values()))
        elif kind == "hours":
            buckets = edited(
                draw,
                told.buckets,
                lambda bucket: replace(bucket, hours=draw(st.integers(0, 12_000))),
                Bucket("mill", 125, 130, 5_000),
            )
            told = replace(told, buckets=buckets)
        elif kind in {"keep", "cap"}:
            new = draw(keeps(names) if kind == "keep" else caps(names))
            rules = getattr(told, f"{kind}s")
            rules = edited(draw, rules, lambda rule: replace(rule, qty=rule.qty + 1), new)
            told = replace(told, **{f"{kind}s": rules})
        elif kind == "source":
            place = draw(st.integers(0, len(told.sources) - 1))
            slower = replace(told.sources[place], days=draw(st.integers(1, 25)))
            told = replace(
                told, sources=[*told.sources[:place], slower, *told.sources[place + 1 :]]
            )
        else:
            told = replace(told, parts=[replace(part, safety=2) for part in told.parts])
    return told
