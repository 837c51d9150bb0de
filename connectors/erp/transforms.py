"""The closed list of transforms a profile may name: text on the wire to a value of ours.

Numbers are read from their text, never through a float. A text that does not fit is ``Drift``:
the ERP has changed, and a person must look. Not here: where a value is found (``reader``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

Convert = Callable[[str], Any]

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)", re.ASCII)
_INT = re.compile(r"[+-]?[0-9]+", re.ASCII)
_BOOL = {"true": True, "1": True, "false": False, "0": False}
_MIDNIGHT = "T24:00:00"

# transform -> the Python type it makes; the profile check compares it with the port's field
MAKES: Mapping[str, type] = {
    "text": str,
    "map": str,
    "int": int,
    "decimal": Decimal,
    "bool": bool,
    "date": dt.date,
    "datetime": dt.datetime,
}


class Drift(Exception):
    """A value or a path that is not what the profile expects. ``path`` says where."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


@dataclass(frozen=True)
class Formats:
    """How this ERP writes things: zone of instants without one, texts that mean 'no date'."""

    zone: ZoneInfo
    date_null: frozenset[str] = frozenset({""})
    maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def converter(name: str, arg: str, formats: Formats) -> Convert:
    """The function for one transform. KeyError when the name or its map is unknown."""
    if name == "map":
        return _mapped(arg, formats.maps[arg])
    if name == "date":
        return lambda text: _date(text, formats)
    if name == "datetime":
        return lambda text: _datetime(text, formats)
    return {"text": _text, "int": _int, "decimal": _decimal, "bool": _bool}[name]


def _text(text: str) -> str:
    return text


def _int(text: str) -> int:
    if _INT.fullmatch(text := text.strip()) is None:
        raise Drift(f"not a whole number: {text[:40]!r}")
    return int(text)


def _decimal(text: str) -> Decimal:
    if _DECIMAL.fullmatch(text := text.strip()) is None:
        raise Drift(f"not a decimal number: {text[:40]!r}")
    return Decimal(text)


def _bool(text: str) -> bool:
    try:
        return _BOOL[text.strip()]
    except KeyError:
        raise Drift(f"not true or false: {text[:40]!r}") from None


def _date(text: str, formats: Formats) -> dt.date | None:
    text = text.strip()
    if text in formats.date_null:
        return None
    try:
        return dt.date.fromisoformat(text[:10])  # a zone behind a date says nothing to us
    except ValueError:
        raise Drift(f"not a date: {text[:40]!r}") from None


def _datetime(text: str, formats: Formats) -> dt.datetime | None:
    text = text.strip()
    if text in formats.date_null:
        return None
    next_day = _MIDNIGHT in text  # allowed by XML Schema, refused by Python
    try:
        at = dt.datetime.fromisoformat(text.replace(_MIDNIGHT, "T00:00:00"))
        if at.tzinfo is None:
            at = at.replace(tzinfo=formats.zone)
        return at.astimezone(dt.UTC) + dt.timedelta(days=next_day)
    except (ValueError, OverflowError):
        raise Drift(f"not an instant: {text[:40]!r}") from None


def _mapped(name: str, table: Mapping[str, str]) -> Convert:
    rest = table.get("*", "!drift")

    def convert(text: str) -> str:
        value = table.get(text, rest)
        if value == "!drift":
            raise Drift(f"unknown {name}: {text[:40]!r}")
        return value

    return convert


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def outgoing(value: Any) -> str:
    """A value of ours as the text that goes out; characters XML cannot hold are left out."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    return _CONTROL.sub("", str(value))
