"""Values become text in the reader's manner: the only place where pages format anything.

Dates as the design's notes say (``Fri 18 Dec 2026``, ``12月18日（五）``), money with its ISO code
in front and the currency's own decimals, instants in the home zone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from flask import Flask, url_for
from markupsafe import Markup

from b2bcrm.kernel import quantity
from b2bcrm.kernel.actor import SYSTEM
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.money import Money, digits
from b2bcrm.kernel.words import Message, render, show_date, show_decimal
from b2bcrm.web import auth
from b2bcrm.web.locale import NAMES, SHORT, current_locale, lang
from b2bcrm.web.work import REQUEST_KEY_FIELD, current_work

DASH = "–"
_TEN_THOUSAND = Decimal(10_000)
_HAN_STEPS = {
    "zh_Hant": ((Decimal(10**8), "億"), (_TEN_THOUSAND, "萬")),
    "zh_Hans": ((Decimal(10**8), "亿"), (_TEN_THOUSAND, "万")),
}
_EN_STEPS = ((Decimal(10**9), "bn"), (Decimal(10**6), "M"), (Decimal(10**3), "k"))
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True)
class Manner:
    """How one language writes values; its methods are the filters of that language's pages."""

    locale: str

    def say(self, message: Message | str | None) -> str:
        """A Message in this language."""
        return "" if message is None else render(message, self.locale)

    def date(self, day: dt.date | None, *, year: bool = True) -> str:
        """A date with its weekday: ``Fri 18 Dec 2026``; a dash for none."""
        return DASH if day is None else show_date(_local_day(day), self.locale, year=year)

    def day(self, value: dt.date | None) -> str:
        """A short date for tables: ``18 Dec``, with the year when it is not this one."""
        if value is None:
            return DASH
        local, today = _local_day(value), _today()
        other_year = today is not None and local.year != today.year
        return show_date(local, self.locale, year=other_year, weekday=False)

    def moment(self, at: dt.datetime | None) -> str:
        """Day and time in the home zone: ``17 Nov 09:38``; only the time if it is today."""
        if at is None:
            return DASH
        time = clock(at)
        return time if _local_day(at) == _today() else f"{self.day(at)} {time}"

    def qty(self, value: Decimal | int | None, unit: str = "") -> str:
        """A quantity without trailing zeros, with its unit's short word if one is given."""
        if value is None:
            return DASH
        text = show_decimal(Decimal(value))
        return f"{text} {self.unit_name(unit)}" if unit else text

    def unit_name(self, code: str) -> str:
        """The short word of a unit of measure."""
        return render(quantity.unit_word(code), self.locale)

    def pct(self, value: Decimal | float | None, places: int = 0) -> str:
        """A percentage: ``82 %``, in zh-Hans ``82%``. The value is already in percent."""
        if value is None:
            return DASH
        gap = "" if self.locale == "zh_Hans" else " "
        return f"{Decimal(value):.{places}f}{gap}%"

    def compact(self, value: Money | Decimal | int | None) -> str:
        """A large number in three figures: ``48.6 M``, ``4,860 萬``; Money keeps its code."""
        if value is None:
            return DASH
        number = value.amount if isinstance(value, Money) else Decimal(value)
        text = _compact(number, self.locale)
        return f"{value.currency} {text}" if isinstance(value, Money) else text

    def wd(self, days: int | None) -> str:
        """Working days: ``3 wd``."""
        if days is None:
            return DASH
        return self.say(Message("%(days)s wd", days=f"{days}".replace("-", "−")))

    def span(self, seconds: float | dt.timedelta | None) -> str:
        """How long: ``42 min``, ``5 h 30 min``, ``1 d 4 h``."""
        if seconds is None:
            return DASH
        total = seconds.total_seconds() if isinstance(seconds, dt.timedelta) else seconds
        left = int(abs(total))
        if left < _HOUR:
            return self.say(Message("%(minutes)s min", minutes=left // _MINUTE))
        if left < _DAY:
            hours, minutes = left // _HOUR, left % _HOUR // _MINUTE
            if minutes:
                return self.say(
                    Message("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes)
                )
            return self.say(Message("%(hours)s h", hours=hours))
        days, hours = left // _DAY, left % _DAY // _HOUR
        if hours:
            return self.say(Message("%(days)s d %(hours)s h", days=days, hours=hours))
        return self.say(Message("%(days)s d", days=days))

    def age(self, at: dt.datetime | None, now: dt.datetime | None = None) -> str:
        """Age of data: ``as of 09:38, 2 min old``. ``now`` defaults to business time."""
        if at is None:
            return self.say(Message("never"))
        against = now or _now() or at
        return self.say(
            Message(
                "as of %(moment)s, %(age)s old", moment=self.moment(at), age=self.span(against - at)
            )
        )

    def actor(self, name: str) -> str:
        """Who did it, as timelines show it: people by name, our own work as a word."""
        return self.say(Message("System")) if name == SYSTEM.name else name

    def filters(self) -> dict[str, Callable[..., str]]:
        """What templates call them."""
        functions: tuple[Callable[..., str], ...] = (
            self.say, self.date, self.day, self.moment, self.qty, self.unit_name, self.pct,
            self.compact, self.wd, self.span, self.age, self.actor,
        )  # fmt: skip
        return {function.__name__: function for function in functions}


def manner() -> Manner:
    """That of the reader of this request."""
    return Manner(current_locale())


def _now() -> dt.datetime | None:
    work = current_work()
    return None if work is None else work.now


def _today() -> dt.date | None:
    work = current_work()
    return None if work is None else work.today


def _local_day(value: dt.date) -> dt.date:
    return value.astimezone(HOME_ZONE).date() if isinstance(value, dt.datetime) else value


def clock(at: dt.datetime | None) -> str:
    """The time of day in the home zone: ``09:38``."""
    return DASH if at is None else f"{at.astimezone(HOME_ZONE):%H:%M}"


def iso(at: dt.date | None) -> str:
    """For ``datetime`` attributes and date inputs."""
    return "" if at is None else at.isoformat()


def amount(value: Money | Decimal | int, places: int | None = None) -> str:
    """A number with separators and the currency's decimals, without its code."""
    if isinstance(value, Money):
        return show_decimal(value.amount, digits(value.currency))
    return show_decimal(Decimal(value), 2 if places is None else places)


def money(value: Money | None) -> Markup | str:
    """``EUR 185,300.00``, the code set small; a dash for none."""
    if value is None:
        return DASH
    return Markup(f'<span class="cur">{escape(value.currency)}</span> {amount(value)}')  # noqa: S704


def price(value: Decimal | None) -> str:
    """A unit price: two decimals, more where the price has them (``0.00345``)."""
    if value is None:
        return DASH
    exponent = value.normalize().as_tuple().exponent
    return show_decimal(value, max(2, -exponent if isinstance(exponent, int) else 2))


def _compact(number: Decimal, locale: str) -> str:
    for step, word in _HAN_STEPS.get(locale, _EN_STEPS):
        if abs(number) >= step:
            scaled = number / step
            places = 0 if abs(scaled) >= 100 else 1  # noqa: PLR2004 - three figures
            return f"{show_decimal(scaled, places)} {word}"
    return show_decimal(number, 0)


def unbroken(name: str) -> str:
    """An item's name whose ``i = 100`` stays on one line."""
    return name.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")


def initials(name: str) -> str:
    """One or two letters for a face: ``Mei-Ling Lin`` is ML, 陳建宏 is 陳."""
    words = name.replace("-", " ").split()
    if not words:
        return "?"
    if not words[0][0].isascii():
        return words[0][0]
    return "".join(word[0] for word in (words[0], words[-1]) if word)[: len(words)].upper()


def size(count: int) -> str:
    """A file's size: ``840 kB``, ``1.2 MB``."""
    if count >= 1_000_000:  # noqa: PLR2004 - a megabyte
        return f"{count / 1_000_000:.1f} MB"
    return f"{max(1, round(count / 1000))} kB"


def percent_of(part: Decimal | float, whole: Decimal | float) -> str:
    """A CSS percentage for custom properties: ``--p``; 0 % of nothing."""
    share = 0.0 if not whole else max(0.0, min(1.0, float(part) / float(whole)))
    return f"{share * 100:.2f}%"


@cache
def _digest(folder: str, filename: str) -> str:
    path = Path(folder, filename)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10] if path.is_file() else "0"


def _static_urls(app: Flask) -> Any:
    known: dict[str, str] = {}

    def static_url(filename: str) -> str:
        """Address of a static file with its digest, so that browsers may keep it for a year."""
        if filename not in known or app.debug:
            version = _digest(app.static_folder or "", filename)
            known[filename] = url_for("static", filename=filename, v=version)
        return known[filename]

    return static_url


def init_app(app: Flask) -> None:
    """Give templates the filters and the few names that every page uses."""
    env = app.jinja_env
    functions: tuple[Callable[..., str], ...] = (
        clock, iso, amount, money, price, unbroken, initials, size, percent_of,
    )  # fmt: skip
    env.filters.update({function.__name__: function for function in functions})
    env.globals.update(
        static_url=_static_urls(app),
        lang=lang,
        locale=current_locale,
        LOCALE_NAMES=NAMES,
        LOCALE_SHORT=SHORT,
        REQUEST_KEY_FIELD=REQUEST_KEY_FIELD,
        signed_in=auth.current,
        now=_now,
        today=_today,
    )
