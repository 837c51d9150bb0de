"""Records of every kind with any content, made by hypothesis from the port's own type hints."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from b2bcrm.ports import erp as port
from connectors.erp.outgoing import outgoing

WORDS = {
    "language": ["en", "zh_Hant", "zh_Hans"],
    "customer_class": ["A", "B", "C"],
    "station": ["prep", "turning", "heat", "grinding", "assembly", "test", "packing"],
    ("Item", "kind"): ["make", "buy", "service"],
    ("Address", "kind"): ["bill_to", "ship_to"],
    ("PurchaseOrder", "status"): ["open", "closed", "cancelled"],
    ("SalesOrder", "status"): ["open", "closed", "cancelled"],
    ("SalesOrderLine", "status"): ["open", "shipped", "closed", "cancelled"],
    ("WorkOrder", "status"): ["planned", "released", "running", "done", "cancelled"],
    ("Operation", "status"): ["waiting", "running", "done"],
}
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12).filter(
    lambda text: outgoing(text) == text
)
DATES = st.dates(dt.date(1990, 1, 1), dt.date(2090, 1, 1))
VALUES = {
    str: TEXTS,
    int: st.integers(-(2**31), 2**31 - 1),
    bool: st.booleans(),
    Decimal: st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=6)
    | st.sampled_from([Decimal("1E+3"), Decimal("0.000001"), Decimal("12345678901234.567891")]),
    dt.date: DATES,
    dt.datetime: st.integers(631_152_000_000_000, 3_786_912_000_000_000).map(
        lambda micros: dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)
    ),
}


def values(owner: type, name: str, hint) -> st.SearchStrategy:
    words = WORDS.get(name) or WORDS.get((owner.__name__, name))
    if words:
        return st.sampled_from(words)
    if hint in VALUES:
        return VALUES[hint]
    args = get_args(hint)
    if type(None) in args:
        return st.none() | values(owner, name, args[0])
    if get_origin(hint) is tuple:
        return st.lists(records(args[0]), max_size=2).map(tuple)
    assert get_origin(hint) is Mapping
    return st.dictionaries(TEXTS, TEXTS, max_size=2)


def records(record: type) -> st.SearchStrategy:
    hints = get_type_hints(record)
    names = [f.name for f in dataclasses.fields(record)]
    return st.builds(record, **{n: values(record, n, hints[n]) for n in names})


ANY = {record: records(record) for record in port.Record.__subclasses__()}
