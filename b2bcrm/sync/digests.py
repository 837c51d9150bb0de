"""The content of a record as 32 hex digits: equal digests mean that nothing is to be done.

The ERP's change mark and its instants are left out: they move although nothing changed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any

from b2bcrm.ports.erp import Record

LEFT_OUT = frozenset({"version", "updated_at", "as_of"})
SIZE = 16  # bytes
_SCALARS = frozenset({str, int, bool, Decimal, dt.date, dt.datetime, type(None)})
_WHOLE = 1 << (8 * SIZE)


_GETTERS: dict[type, attrgetter[Any]] = {}


def _fields(kind: type[Any]) -> attrgetter[Any]:
    getter = _GETTERS.get(kind)
    if getter is None:
        names = [f.name for f in dataclasses.fields(kind) if f.name not in LEFT_OUT]
        getter = _GETTERS[kind] = attrgetter(*sorted(names))
    return getter


def _plain(value: Any) -> Any:
    """Nested mappings and records as tuples; what is already plain stays."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    if isinstance(value, Mapping):
        return tuple(sorted((key, _plain(one)) for key, one in value.items()))
    if dataclasses.is_dataclass(value):
        return _values(value)
    return value


def _values(record: Any) -> tuple[Any, ...]:
    """The values of a record; the plain ones, which are most, are passed by without a call."""
    return tuple(
        value if type(value) in _SCALARS else _plain(value)
        for value in _fields(type(record))(record)
    )


def digest(record: Record) -> str:
    """The digest of a record's content."""
    text = repr(_values(record))
    return hashlib.blake2b(text.encode(), digest_size=SIZE).hexdigest()


def total(digests: Iterable[tuple[str, str]]) -> str:
    """A sum over (erp_id, mark) pairs that does not depend on their order."""
    added = 0
    for erp_id, mark in digests:
        one = hashlib.blake2b(f"{erp_id}\x1f{mark}".encode(), digest_size=SIZE).digest()
        added = (added + int.from_bytes(one)) % _WHOLE
    return f"{added:0{2 * SIZE}x}"
