"""Working days of Taiwan and China 2025 to 2027, and quick arithmetic over them.

Dates inside the twin are ISO strings: they sort as dates do and need no conversion on their way
to JSON and back. For 2027 China's make-up days are not published yet; the table holds its
statutory holidays only.
"""

from __future__ import annotations

import datetime as dt

from b2bcrm.kernel.calendar import WorkCalendar

_TW = """
2025-01-01 2025-01-27..2025-01-31 2025-02-28 2025-04-03..2025-04-04 2025-05-01 2025-05-30
2025-09-29 2025-10-06 2025-10-10 2025-10-24 2025-12-25
2026-01-01 2026-02-16..2026-02-20 2026-02-27 2026-04-03 2026-04-06 2026-05-01 2026-06-19
2026-09-25 2026-09-28 2026-10-09 2026-10-26 2026-12-25
2027-01-01 2027-02-04..2027-02-10 2027-03-01 2027-04-05..2027-04-06 2027-04-30 2027-06-09
2027-09-15 2027-09-28 2027-10-11 2027-10-25 2027-12-24 2027-12-31
"""
_TW_EXTRA = "2025-02-08"
_CN = """
2025-01-01 2025-01-28..2025-02-04 2025-04-04 2025-05-01..2025-05-05 2025-06-02
2025-10-01..2025-10-08
2026-01-01..2026-01-02 2026-02-16..2026-02-23 2026-04-06 2026-05-01..2026-05-05 2026-06-19
2026-09-25 2026-10-01..2026-10-07
2027-01-01 2027-02-05..2027-02-10 2027-04-05 2027-05-03..2027-05-04 2027-06-09 2027-09-15
2027-10-01..2027-10-05
"""
_CN_EXTRA = """
2025-01-26 2025-02-08 2025-04-27 2025-09-28 2025-10-11
2026-01-04 2026-02-14 2026-02-28 2026-05-09 2026-09-20 2026-10-10
"""
_FIRST, _LAST = dt.date(2023, 1, 1), dt.date(2035, 12, 31)


def _dates(text: str) -> frozenset[dt.date]:
    days = set()
    for word in text.split():
        first, _, last = word.partition("..")
        day, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last or first)
        while day <= end:
            days.add(day)
            day += dt.timedelta(days=1)
    return frozenset(days)


TAIWAN = WorkCalendar(
    code="TW", zone="Asia/Taipei", holidays=_dates(_TW), extra_days=_dates(_TW_EXTRA)
)
CHINA = WorkCalendar(
    code="CN", zone="Asia/Shanghai", holidays=_dates(_CN), extra_days=_dates(_CN_EXTRA)
)
CALENDARS = {"TW": TAIWAN, "CN": CHINA}


class WorkDays:
    """Working-day arithmetic over ISO strings in constant time, 2023 to 2035."""

    def __init__(self, calendar: WorkCalendar) -> None:
        self.days: list[str] = []
        self._pos: dict[str, int] = {}
        for n in range((_LAST - _FIRST).days + 1):
            day = _FIRST + dt.timedelta(days=n)
            self._pos[day.isoformat()] = len(self.days)
            if calendar.is_working(day):
                self.days.append(day.isoformat())

    def is_working(self, day: str) -> bool:
        """Whether ``day`` is a working day."""
        return self.days[self._pos[day]] == day

    def add(self, day: str, count: int) -> str:
        """As ``WorkCalendar.add_days``: 0 gives the first working day on or after ``day``."""
        at = self._pos[day]
        if count > 0 and self.days[at] != day:
            count -= 1
        return self.days[at + count]

    def index(self, day: str) -> int:
        """Rank of the first working day on or after ``day``; differences are working days."""
        return self._pos[day]


WORK_DAYS = {code: WorkDays(calendar) for code, calendar in CALENDARS.items()}


def shift(day: str, count: int) -> str:
    """``day`` plus calendar days."""
    return (dt.date.fromisoformat(day) + dt.timedelta(days=count)).isoformat()


def instant(day: str, clock: str) -> str:
    """UTC text of a local time of day, ``HH:MM`` from 08:00 on (both sites are at UTC+8)."""
    return f"{day}T{int(clock[:2]) - 8:02d}:{clock[3:5]}:00.000000+00:00"


def stamp(moment: dt.datetime) -> str:
    """UTC text of an aware instant, always the same width so that text sorts as time."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def local_day(moment: str) -> str:
    """Business date at the sites of a UTC text."""
    return (dt.datetime.fromisoformat(moment) + dt.timedelta(hours=8)).date().isoformat()
