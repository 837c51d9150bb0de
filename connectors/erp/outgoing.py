"""Values of ours to the text that goes out, by the same closed list of transforms.

What cannot be said in the ERP's words (a unit it does not have, a price with more decimals than
it keeps) is ``CannotSay``: sending something near it would be a wrong order.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.erp.misfit import ProfileError, expected
from connectors.erp.transforms import DRIFT, Formats, Transform, map_of, whole

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_UNSAFE = re.compile(r"""['"\\*?|&<>()@;%=\r\n]|--""")
Say = Callable[[Any], Any]


class CannotSay(Exception):
    """The ERP has no word for a value. The text is shown to the person who sent it."""


class Literal(str):
    """A text that is a number or true/false: JSON writes it without quotes."""

    __slots__ = ()


def outgoing(value: Any) -> str:
    """A value of ours as the text that goes out; characters XML cannot hold are left out."""
    if isinstance(value, bool):
        return Literal("true" if value else "false")
    if isinstance(value, Decimal):
        return Literal(format(value, "f"))
    if isinstance(value, int):
        return Literal(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    return value if isinstance(value, Literal) else _CONTROL.sub("", str(value))


def safe_in_filter(text: str) -> str:
    """A text that may stand inside an ERP's filter expression. Raises CannotSay."""
    if _UNSAFE.search(text):
        raise CannotSay(f"{text!r} cannot be searched for: it holds signs that filters use")
    return text


def sayer(transforms: Sequence[Transform], formats: Formats) -> Say:
    """One function for a chain; None means the element is left out."""
    steps = [_step(t, formats) for t in transforms]

    def say(value: Any) -> Any:
        for step in steps:
            value = step(value)
        if value is None:
            return None
        if type(value) is dt.date and formats.date:
            return value.strftime(formats.date)
        if isinstance(value, dt.datetime):
            return _instant(value, formats)
        return outgoing(value)

    return say


def _instant(value: dt.datetime, formats: Formats) -> str:
    if formats.datetime:
        return value.astimezone(formats.zone).strftime(formats.datetime)
    return outgoing(value)


def _step(step: Transform, formats: Formats) -> Say:
    try:
        return _STEPS[step.name](step.arg, formats)
    except KeyError:
        near = expected(step.name, _STEPS)
        raise ProfileError(f"there is no transform {step.name!r}; {near}") from None


def _day(value: Any, formats: Formats) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(formats.zone).date()
    return value


def _midnight(value: Any, formats: Formats) -> Any:
    if type(value) is dt.date:
        return dt.datetime.combine(value, dt.time(), formats.zone)
    return value


def _scaled(value: Any, places: int | None) -> Any:
    if value is None or places is None:
        return value
    scaled = Decimal(value).quantize(Decimal(1).scaleb(-places))
    if scaled != value:
        raise CannotSay(f"{value} has more than the {places} decimals that the ERP keeps")
    return scaled


def _padded(width: int) -> Say:
    return lambda value: value.zfill(width) if value and value.isdigit() else value


def _either(rest: str) -> Say:
    return lambda value: rest if value is None or value == "" else value


def _decimals(arg: str) -> Say:
    places = whole(arg) if arg else None
    return lambda value: _scaled(value, places)


def _only(arg: str) -> Say:
    def say(value: Any) -> Any:
        if value is not None and value != "" and str(value) != arg and value != _number(arg):
            raise CannotSay(f"the ERP takes {arg or 'nothing'} only, not {value}")
        return value

    return say


def _at_most(length: int) -> Say:
    def say(value: Any) -> Any:
        if value is not None and len(str(value)) > length:
            raise CannotSay(f"{value!r} has more than the {length} characters that the ERP keeps")
        return value

    return say


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _unit(formats: Formats) -> Say:
    back: dict[str, str] = {}
    for theirs, ours in formats.units.items():
        if theirs != "*" or ours == "*":
            back.setdefault(ours, theirs)
    return _mapped("unit", back)


def _mapped(name: str, table: Mapping[str, str]) -> Say:
    rest = table.get("*", DRIFT)

    def say(value: Any) -> Any:
        if value is None:
            return None
        word = table.get(str(value), rest)
        if word == DRIFT:
            raise CannotSay(f"the ERP has no {name} for {str(value)!r}")
        return str(value) if word == "*" else word

    return say


_STEPS: Mapping[str, Callable[[str, Formats], Say]] = {
    "text": lambda _a, _f: lambda value: None if value is None else str(outgoing(value)),
    "int": lambda _a, _f: lambda value: None if value is None else Literal(int(value)),
    "decimal": lambda arg, _f: _decimals(arg),
    "date": lambda _a, f: lambda value: _day(value, f),
    "datetime": lambda _a, _f: lambda value: value,
    "instant_date": lambda _a, f: lambda value: _midnight(value, f),
    "iso": lambda _a, _f: lambda value: None if value is None else outgoing(value),
    "unix": lambda _a, _f: lambda value: None if value is None else int(value.timestamp()),
    "map": lambda arg, f: _mapped(arg, map_of(arg, f)),
    "unit": lambda _a, f: _unit(f),
    "pad": lambda arg, _f: _padded(whole(arg)),
    "strip_zeros": lambda _a, _f: lambda value: value.lstrip("0") if value else value,
    "const": lambda arg, _f: lambda _value: arg,
    "default": lambda arg, _f: _either(arg),
    "only": lambda arg, _f: _only(arg),
    "max": lambda arg, _f: _at_most(whole(arg)),
    "skip_empty": lambda _a, _f: lambda value: value or None,
    "filter": lambda _a, _f: lambda value: None if value is None else safe_in_filter(str(value)),
}
