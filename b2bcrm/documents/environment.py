"""Jinja without Flask: the language is a value, one environment per language.

``_('...')`` gives a Message that is shown in the leading language; ``both(_('...'))`` adds the
second language small beside it, where the document has one (Chinese leads, English follows).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.money import digits
from b2bcrm.kernel.quantity import unit_word
from b2bcrm.kernel.words import LOCALES, Message, render, show_date, show_decimal

TEMPLATES = Path(__file__).parent / "templates"
DASH = "–"


def known_locale(language: str) -> str:
    """The catalogue's name of a language as accounts carry it; English where it is unknown."""
    return language.replace("-", "_") if language.replace("-", "_") in LOCALES else "en"


def second_of(locale: str) -> str:
    """The language that follows smaller: English under Chinese, none under English."""
    return "" if locale == "en" else "en"


@lru_cache(maxsize=len(LOCALES))
def environment(locale: str) -> Environment:
    """The environment of one of ``LOCALES``. Undefined names are errors."""
    second = second_of(locale)

    def finalize(value: Any) -> Any:
        return render(value, locale) if isinstance(value, Message) else value

    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html", "html.j2"), default=False),
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(_filters(locale))
    env.globals.update(
        {
            "_": Message,
            "both": _both(locale, second),
            "second": _second(second),
            "locale": locale,
            "lang": locale.replace("_", "-"),
        }
    )
    return env


def _both(locale: str, second: str) -> Callable[[Message], Markup]:
    def both(message: Message) -> Markup:
        lead = render(message, locale)
        other = render(message, second) if second else lead
        if other == lead:
            return Markup("{}").format(lead)
        return Markup('{} <span class="en" lang="{}">{}</span>').format(lead, second, other)

    return both


def _second(second: str) -> Callable[[Message], str]:
    def second_text(message: Message) -> str:
        return render(message, second) if second else ""

    return second_text


def show_price(value: Decimal, currency: str) -> str:
    """A unit price: the currency's decimals, and more where the price has them."""
    exponent = value.normalize().as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    return show_decimal(value, max(digits(currency), places))


def _filters(locale: str) -> dict[str, Callable[..., str]]:
    def date(day: dt.date | None, *, in_english: bool = False, weekday: bool = False) -> str:
        if day is None:
            return DASH
        local = day.astimezone(HOME_ZONE).date() if isinstance(day, dt.datetime) else day
        return show_date(local, "en" if in_english else locale, weekday=weekday)

    def day(value: dt.date | None) -> str:
        return DASH if value is None else show_date(value, locale, year=False, weekday=False)

    def moment(at: dt.datetime) -> str:
        local = at.astimezone(HOME_ZONE)
        return f"{day(local.date())} {local:%H:%M}"

    def amount(value: Decimal, currency: str) -> str:
        return show_decimal(value, digits(currency))

    def money(value: Decimal, currency: str) -> str:
        return f"{currency} {show_decimal(value, digits(currency))}"

    def qty(value: Decimal, unit: str = "") -> str:
        text = show_decimal(value)
        return f"{text} {render(unit_word(unit), locale)}" if unit else text

    def pct(value: Decimal) -> str:
        gap = "" if locale == "zh_Hans" else " "
        return f"{show_decimal(value)}{gap}%"

    return {
        "date": date,
        "day": day,
        "moment": moment,
        "hours": lambda value: show_decimal(value, 0),
        "amount": amount,
        "money": money,
        "price": show_price,
        "qty": qty,
        "pct": pct,
        "say": lambda message: render(message, locale),
    }


def fill(template: str, locale: str, context: dict[str, Any]) -> str:
    """The template's text in ``locale`` (one of ``LOCALES``; another one falls back to English)."""
    return environment(known_locale(locale)).get_template(template).render(context)
