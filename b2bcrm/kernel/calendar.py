"""Working days and working hours: pure arithmetic over a calendar value.

A calendar has weekly intervals in its own zone, holidays, and extra working days (China's
make-up Saturdays). Lead times in working days and service clocks both use it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

_MAX_SCAN = 3660  # ten years of days: a calendar without any working day must not loop for ever

Interval = tuple[dt.time, dt.time]
OFFICE: tuple[Interval, ...] = (
    (dt.time(8, 30), dt.time(12, 0)),
    (dt.time(13, 0), dt.time(17, 30)),
)


@dataclass(frozen=True)
class WorkCalendar:
    """``weekdays`` are 0=Monday; ``hours`` are the working intervals of each working day.

    An interval that ends at 00:00 means midnight at the end of the day.
    """

    code: str
    zone: str = "Asia/Taipei"
    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    holidays: frozenset[dt.date] = frozenset()
    extra_days: frozenset[dt.date] = frozenset()
    hours: tuple[Interval, ...] = field(default=OFFICE)

    def is_working(self, day: dt.date) -> bool:
        """Whether work is done on ``day``."""
        if day in self.extra_days:
            return True
        return day.weekday() in self.weekdays and day not in self.holidays

    def next_working(self, day: dt.date) -> dt.date:
        """``day`` itself if it is a working day, else the first one after it."""
        for n in range(_MAX_SCAN):
            if self.is_working(day + dt.timedelta(days=n)):
                return day + dt.timedelta(days=n)
        raise ValueError(f"calendar {self.code} has no working day")

    def add_days(self, day: dt.date, count: int) -> dt.date:
        """The working day ``count`` working days after (before, if negative) ``day``.

        Zero gives the first working day on or after ``day``.
        """
        if count == 0:
            return self.next_working(day)
        step = dt.timedelta(days=1 if count > 0 else -1)
        left, scanned = abs(count), 0
        while left:
            day += step
            scanned += 1
            if scanned > _MAX_SCAN:
                raise ValueError(f"calendar {self.code} has too few working days")
            if self.is_working(day):
                left -= 1
        return day

    def days_between(self, start: dt.date, end: dt.date) -> int:
        """Working days in (start, end]; negative if end is before start."""
        if end < start:
            return -self.days_between(end, start)
        span = (end - start).days
        return sum(self.is_working(start + dt.timedelta(days=n + 1)) for n in range(span))

    def _spans(self, day: dt.date) -> list[tuple[dt.datetime, dt.datetime]]:
        zone = ZoneInfo(self.zone)
        spans = []
        for begin, end in self.hours:
            last = day if end > begin else day + dt.timedelta(days=1)
            spans.append(
                (
                    dt.datetime.combine(day, begin, zone).astimezone(dt.UTC),
                    dt.datetime.combine(last, end, zone).astimezone(dt.UTC),
                )
            )
        return spans

    def add_hours(self, start: dt.datetime, hours: float) -> dt.datetime:
        """The instant at which ``hours`` working hours after ``start`` have passed (UTC)."""
        left = dt.timedelta(hours=hours)
        day = start.astimezone(ZoneInfo(self.zone)).date()
        for _ in range(_MAX_SCAN):
            if self.is_working(day):
                for begin, end in self._spans(day):
                    begin_at = max(begin, start.astimezone(dt.UTC))
                    if begin_at >= end:
                        continue
                    if left <= end - begin_at:
                        return begin_at + left
                    left -= end - begin_at
            day += dt.timedelta(days=1)
        raise ValueError(f"calendar {self.code} has too few working hours")

    def hours_between(self, start: dt.datetime, end: dt.datetime) -> float:
        """Working hours from ``start`` to ``end`` (0 if end is not later)."""
        done = dt.timedelta(0)
        zone = ZoneInfo(self.zone)
        day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
        while day <= last:
            if self.is_working(day):
                for begin, finish in self._spans(day):
                    lower, upper = max(begin, start), min(finish, end)
                    if upper > lower:
                        done += upper - lower
            day += dt.timedelta(days=1)
        return done.total_seconds() / 3600
