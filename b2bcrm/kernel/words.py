"""Sentences that a reader will see, kept apart from the language they are shown in.

Errors, events and promise reasons carry a ``Message`` (an English source sentence and its
parameters). Pages, mails and documents render it in the reader's language. The catalogues are
those of ``b2bcrm/translations``; the locale is always an argument, never ambient state.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.support import NullTranslations, Translations

LOCALES = ("en", "zh_Hant", "zh_Hans")
TRANSLATIONS_DIR = Path(__file__).parent.parent / "translations"


@dataclass(frozen=True, init=False)
class Message:
    """One sentence: ``id`` is its English text with ``%(name)s`` places, ``params`` fills them.

    A parameter may itself be a Message; dates and decimals are shown in the reader's manner.
    """

    id: str
    params: dict[str, Any] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def __init__(self, id: str, /, **params: Any) -> None:  # noqa: A002 - the catalogue's word
        object.__setattr__(self, "id", id)
        object.__setattr__(self, "params", params)
        object.__setattr__(self, "_texts", {})  # by locale: one read once is shown on many pages

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        """English text: for logs and command lines."""
        return render(self, "en")

    def shown(self, locale: str) -> str:
        """The sentence in ``locale``, one of ``LOCALES``."""
        text = self._texts.get(locale)
        if text is None:
            text = _sentence(self.id, locale)
            if self.params:
                text %= {k: _shown(v, locale) for k, v in self.params.items()}
            else:
                text = text.replace("%%", "%")
            self._texts[locale] = text
        return text

    def to_json(self) -> dict[str, Any]:
        """A form that fits a JSON column: ``{"id": ..., "params": {...}}``."""
        return {"id": self.id, "params": {k: _dump(v) for k, v in self.params.items()}}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Message:
        """The inverse of ``to_json``."""
        return cls(data["id"], **{k: _load(v) for k, v in data.get("params", {}).items()})


def _dump(value: Any) -> Any:
    if isinstance(value, Message):
        return {"$message": value.to_json()}
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return {"$date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    return value if isinstance(value, int | str | bool | None) else str(value)


def _load(value: Any) -> Any:
    if isinstance(value, dict):
        if "$message" in value:
            return Message.from_json(value["$message"])
        if "$date" in value:
            return dt.date.fromisoformat(value["$date"])
        if "$decimal" in value:
            return Decimal(value["$decimal"])
    return value


@lru_cache(maxsize=len(LOCALES))
def catalogue(locale: str) -> NullTranslations:
    """The compiled catalogue of a locale; English is the source and needs none."""
    if locale == "en":
        return NullTranslations()
    return Translations.load(str(TRANSLATIONS_DIR), [locale])


@lru_cache(maxsize=8192)
def _sentence(sentence: str, locale: str) -> str:
    text: str = catalogue(locale).ugettext(sentence)
    return text


def render(message: Message | str, locale: str) -> str:
    """The sentence in ``locale`` (one of ``LOCALES``). A plain string is returned as it is."""
    if isinstance(message, str):
        return message
    return message.shown(locale)


def _shown(value: Any, locale: str) -> Any:
    if isinstance(value, Message):
        return render(value, locale)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return show_date(value, locale)
    if isinstance(value, Decimal):
        return show_decimal(value)
    return value


_EN_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EN_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


@lru_cache(maxsize=8192)
def show_date(day: dt.date, locale: str, *, year: bool = True, weekday: bool = True) -> str:
    """A business date as the reader writes it: ``Fri 18 Dec 2026``, ``12月18日（五）``.

    ``year`` and ``weekday`` say which optional parts are wanted.
    """
    if locale == "en":
        parts = [f"{day.day} {_EN_MONTHS[day.month - 1]}"]
        if weekday:
            parts.insert(0, _EN_DAYS[day.weekday()])
        if year:
            parts.append(str(day.year))
        return " ".join(parts)
    han = "一二三四五六日"[day.weekday()]
    text = f"{day.year}年" if year else ""
    text += f"{day.month}月{day.day}日"
    if weekday:
        text += f"（{han}）" if locale == "zh_Hant" else f" 周{han}"
    return text


def show_decimal(value: Decimal, places: int | None = None) -> str:
    """A number with thousands separators; without ``places`` trailing zeros are dropped."""
    if places is not None:
        return f"{value:,.{places}f}"
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
