"""The closed list of transforms a profile may name: text on the wire to a value of ours.

Numbers are read from their text, never through a float. A text that does not fit is ``Drift``:
the ERP has changed, and a person must look. Not here: where a value is found (``reader``), the
way out (``outgoing``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from connectors.erp.misfit import ProfileError, expected

Convert = Callable[[str], Any]

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)", re.ASCII)
_INT = re.compile(r"[+-]?[0-9]+", re.ASCII)
_BOOL = {"true": True, "1": True, "false": False, "0": False}
_DAYS = re.compile(r"P([0-9]{1,6})D", re.ASCII)
_MIDNIGHT = "T24:00:00"
DRIFT = "!drift"

# transform -> the Python type it makes; the profile check compares it with the port's field
MAKES: Mapping[str, type] = {
    "text": str,
    "map": str,
    "unit": str,
    "pad": str,
    "strip_zeros": str,
    "const": str,
    "int": int,
    "days": int,
    "decimal": Decimal,
    "bool": bool,
    "date": dt.date,
    "datetime": dt.datetime,
    "unix": dt.datetime,
    "unix_date": dt.date,
    "instant_date": dt.date,
}
KIND_OF: Mapping[type, str] = {
    str: "text",
    int: "int",
    Decimal: "decimal",
    bool: "bool",
    dt.date: "date",
    dt.datetime: "datetime",
}


class Drift(Exception):
    """A value or a path that is not what the profile expects. ``path`` says where."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


@dataclass(frozen=True)
class Formats:
    """How this ERP writes things: zone of instants without one, texts that mean 'no date'.

    An empty format is ISO 8601. ``units`` maps its unit codes to ours.
    """

    zone: ZoneInfo
    date_null: frozenset[str] = frozenset({""})
    maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    date: str = ""
    datetime: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    lang_attr: str = "languageCode"


@dataclass(frozen=True)
class Transform:
    """One step of a chain: its name and what stands behind the colon."""

    name: str
    arg: str = ""


def chain(text: str) -> tuple[str, list[Transform]]:
    """``path|map:status|default:open`` -> the path and its transforms."""
    path, *rest = text.split("|")
    steps = [Transform(*(part.strip() for part in step.split(":", 1))) for step in rest]
    return path.strip(), steps


def made_by(transforms: Sequence[Transform], kind: str) -> type:
    """The Python type a chain makes from a value of that kind."""
    made = MAKES[kind]
    for step in transforms:
        if step.name not in {"default", "lang"}:
            made = MAKES[step.name]
    return made


def composed(transforms: Sequence[Transform], kind: str, formats: Formats) -> Convert:
    """One function for a chain. Raises ProfileError on a transform that does not exist."""
    steps = [converter(t.name, t.arg, formats) for t in transforms if t.name not in _NOT_STEPS]
    if not steps:
        return converter(kind, "", formats)
    if len(steps) == 1:
        return steps[0]

    def convert(text: str) -> Any:
        value: Any = text
        for step in steps:
            if value is None:
                return None
            value = step(value)
        return value

    return convert


_NOT_STEPS = {"default", "const", "lang"}


def converter(name: str, arg: str, formats: Formats) -> Convert:
    """The function for one transform. Raises ProfileError when it or its map is unknown."""
    try:
        return _MAKERS[name](arg, formats)
    except KeyError:
        near = expected(name, [*_MAKERS, *_NOT_STEPS])
        raise ProfileError(f"there is no transform {name!r}; {near}") from None


def remembered(convert: Convert) -> Convert:
    """The same, with the last texts kept: days, quantities and codes come again and again."""
    return lru_cache(maxsize=4096)(convert)


def map_of(name: str, formats: Formats) -> Mapping[str, str]:
    """A code map of the profile."""
    if name not in formats.maps:
        raise ProfileError(f"there is no [maps.{name}]; {expected(name, formats.maps)}")
    return formats.maps[name]


def whole(arg: str) -> int:
    """The number behind a colon."""
    if not arg.isdigit():
        raise ProfileError(f"{arg!r} should be a number")
    return int(arg)


def as_text(text: str) -> str:
    """The text as it stands."""
    return text


def _strip_zeros(text: str) -> str:
    text = text.strip()
    return (text.lstrip("0") or "0") if text.isdigit() else text


def _int(text: str) -> int:
    if _INT.fullmatch(text := text.strip()) is None:
        raise Drift(f"not a whole number: {text[:40]!r}")
    return int(text)


def _days(text: str) -> int:
    found = _DAYS.fullmatch(text := text.strip())
    if found is None:
        raise Drift(f"not a number of days: {text[:40]!r}")
    return int(found[1])


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
        if formats.date:
            return dt.datetime.strptime(text, formats.date).date()  # noqa: DTZ007 - a day has no zone
        return dt.date.fromisoformat(text[:10])  # a zone behind a date says nothing to us
    except ValueError:
        raise Drift(f"not a date: {text[:40]!r}") from None


def _datetime(text: str, formats: Formats) -> dt.datetime | None:
    text = text.strip()
    if text in formats.date_null:
        return None
    next_day = _MIDNIGHT in text  # allowed by XML Schema, refused by Python
    try:
        if formats.datetime:
            at = dt.datetime.strptime(text, formats.datetime)  # noqa: DTZ007 - the zone follows
        else:
            at = dt.datetime.fromisoformat(text.replace(_MIDNIGHT, "T00:00:00"))
        if at.tzinfo is None:
            at = at.replace(tzinfo=formats.zone)
        return at.astimezone(dt.UTC) + dt.timedelta(days=next_day)
    except (ValueError, OverflowError):
        raise Drift(f"not an instant: {text[:40]!r}") from None


def _unix(text: str, formats: Formats) -> dt.datetime | None:
    text = text.strip()
    if text in formats.date_null:
        return None
    try:
        return dt.datetime.fromtimestamp(int(text), dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise Drift(f"not seconds since 1970: {text[:40]!r}") from None


def _local_day(at: dt.datetime | None, formats: Formats) -> dt.date | None:
    return at.astimezone(formats.zone).date() if at is not None else None


def _mapped(name: str, table: Mapping[str, str]) -> Convert:
    rest = table.get("*", DRIFT)

    def convert(text: str) -> str:
        value = table.get(text.strip(), rest)
        if value == DRIFT:
            raise Drift(f"unknown {name}: {text[:40]!r}")
        return text.strip() if value == "*" else value

    return convert


def _padded(width: int) -> Convert:
    def convert(text: str) -> str:
        text = text.strip()
        return text.zfill(width) if text.isdigit() else text

    return convert


_MAKERS: Mapping[str, Callable[[str, Formats], Convert]] = {
    "text": lambda _arg, _formats: as_text,
    "int": lambda _arg, _formats: remembered(_int),
    "days": lambda _arg, _formats: remembered(_days),
    "decimal": lambda _arg, _formats: remembered(_decimal),
    "bool": lambda _arg, _formats: _bool,
    "map": lambda arg, formats: remembered(_mapped(arg, map_of(arg, formats))),
    "unit": lambda _arg, formats: _mapped("unit", formats.units),
    "date": lambda _arg, formats: remembered(lambda text: _date(text, formats)),
    "datetime": lambda _arg, formats: lambda text: _datetime(text, formats),
    "unix": lambda _arg, formats: lambda text: _unix(text, formats),
    "unix_date": lambda _arg, formats: lambda text: _local_day(_unix(text, formats), formats),
    "instant_date": lambda _arg, formats: remembered(
        lambda text: _local_day(_datetime(text, formats), formats)
    ),
    "pad": lambda arg, _formats: _padded(whole(arg)),
    "strip_zeros": lambda _arg, _formats: _strip_zeros,
}
