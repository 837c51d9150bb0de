"""Quiet hours of a connection: when the ERP is to be read only, or left alone."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping

from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.words import Message

DAY = dt.timedelta(days=1)


class Allowed(enum.StrEnum):
    """What may be asked of the ERP now."""

    ALL = "all"
    READS = "reads"
    NONE = "none"


_STRICT = (Allowed.ALL, Allowed.READS, Allowed.NONE)


def allowed(quiet: Iterable[Mapping[str, str]], tick: dt.datetime) -> tuple[Allowed, dt.datetime]:
    """What the hours allow at ``tick``, and when the strictest of them ends.

    An entry's days are those on which it begins, 1 = Monday; hours are of the home zone and may
    pass midnight.
    """
    found, until = Allowed.ALL, tick
    home = tick.astimezone(HOME_ZONE)
    for entry in quiet:
        for day in (home.date() - DAY, home.date()):
            begin, end = _span(entry, day)
            if str(day.isoweekday()) not in entry["days"] or not begin <= home < end:
                continue
            what = Allowed(entry["allow"])
            if _STRICT.index(what) > _STRICT.index(found):
                found, until = what, end.astimezone(dt.UTC)
    return found, until


def _span(entry: Mapping[str, str], day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    begin = dt.datetime.combine(day, dt.time.fromisoformat(entry["from"]), HOME_ZONE)
    end = dt.datetime.combine(day, dt.time.fromisoformat(entry["to"]), HOME_ZONE)
    return begin, end if end > begin else end + DAY


def check(quiet: Iterable[Mapping[str, str]]) -> None:
    """Raise Invalid where an entry cannot be understood."""
    for entry in quiet:
        try:
            _span(entry, dt.date(2026, 1, 1))
            known = Allowed(entry["allow"]) is not Allowed.ALL
            days = entry["days"]
        except (KeyError, ValueError) as error:
            raise Invalid(_wrong()) from error
        if not known or not days or set(days) - set("1234567"):
            raise Invalid(_wrong())


def _wrong() -> Message:
    return Message("Quiet hours need days (1 to 7), from, to, and what they allow.")
