"""The answer and solve clocks of a case: pure arithmetic on the service calendar.

Both run around the clock on working days and stand still on weekends and holidays. They are
independent: only the solve clock pauses, while the customer has the ball. A clock can explain
itself: what it counted, and how long it stood still for which reason.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from b2bcrm.kernel.calendar import WorkCalendar

ANSWER_WITHIN = dt.timedelta(hours=24)
SOLVE_WITHIN = dt.timedelta(hours=72)
CLOSE_AFTER = dt.timedelta(hours=5 * 24)
WARN_BELOW = 0.25
_ROUND_THE_CLOCK = ((dt.time(0), dt.time(0)),)
_NONE = dt.timedelta(0)


@dataclass(frozen=True)
class Pause:
    """A time that does not count; ``to_at`` is None while it lasts."""

    from_at: dt.datetime
    to_at: dt.datetime | None = None


@dataclass(frozen=True)
class Reading:
    """What a clock shows at one instant.

    ``counted`` of ``budget`` is used; ``paused`` is wall time while waiting for the customer,
    ``closed`` wall time on days without service. ``due_at`` is None while the clock is stopped.
    """

    budget: dt.timedelta
    counted: dt.timedelta
    paused: dt.timedelta
    closed: dt.timedelta
    due_at: dt.datetime | None
    met_at: dt.datetime | None

    @property
    def left(self) -> dt.timedelta:
        """Service time that is left; negative when over."""
        return self.budget - self.counted

    @property
    def over(self) -> bool:
        """Whether more was used than was promised."""
        return self.left < _NONE

    @property
    def stopped(self) -> bool:
        """Whether it waits for the customer."""
        return self.met_at is None and self.due_at is None

    @property
    def share_left(self) -> float:
        """0..1 of the budget."""
        return min(1.0, max(0.0, self.left / self.budget))

    @property
    def status(self) -> str:
        """done, idle (stopped), late, risk (less than a quarter left) or ok."""
        if self.met_at is not None:
            return "late" if self.over else "done"
        if self.over:
            return "late"
        if self.stopped:
            return "idle"
        return "risk" if self.share_left < WARN_BELOW else "ok"


def service_days(calendar: WorkCalendar) -> WorkCalendar:
    """The same working days, each counted whole: no break at noon, no gap at midnight."""
    return dataclasses.replace(calendar, code="SERVICE", hours=_ROUND_THE_CLOCK)


def worked(calendar: WorkCalendar, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
    """Service time from ``start`` to ``end``, exact to the microsecond; zero if end is earlier."""
    if end <= start:
        return _NONE
    return dt.timedelta(hours=calendar.hours_between(start, end))


def instant_after(calendar: WorkCalendar, start: dt.datetime, span: dt.timedelta) -> dt.datetime:
    """The instant at which ``span`` of service time after ``start`` has passed (UTC)."""
    return calendar.add_hours(start, span / dt.timedelta(hours=1))


def merged(pauses: Iterable[Pause]) -> list[Pause]:
    """The pauses in order of time, overlapping or touching ones joined."""
    result: list[Pause] = []
    for pause in sorted(pauses, key=lambda p: p.from_at):
        last = result[-1] if result else None
        if last is None or (last.to_at is not None and last.to_at < pause.from_at):
            result.append(pause)
        elif last.to_at is not None:
            to_at = None if pause.to_at is None else max(last.to_at, pause.to_at)
            result[-1] = Pause(last.from_at, to_at)
    return result


def due_at(
    calendar: WorkCalendar, start: dt.datetime, budget: dt.timedelta, pauses: Sequence[Pause] = ()
) -> dt.datetime | None:
    """When ``budget`` will be used up; None if a pause lasts that begins before."""
    at, left = start, budget
    for pause in merged(pauses):
        if pause.to_at is not None and pause.to_at <= at:
            continue
        ran = worked(calendar, at, pause.from_at)
        if ran >= left:
            break
        left -= ran
        if pause.to_at is None:
            return None
        at = max(at, pause.to_at)
    return instant_after(calendar, at, left)


def read(
    calendar: WorkCalendar,
    start: dt.datetime,
    budget: dt.timedelta,
    now: dt.datetime,
    *,
    pauses: Sequence[Pause] = (),
    met_at: dt.datetime | None = None,
) -> Reading:
    """What the clock that began at ``start`` shows ``now``, or showed when it was met."""
    until = max(start, now if met_at is None else met_at)
    stood, stood_worked = _NONE, _NONE
    for pause in merged(pauses):
        begin = max(pause.from_at, start)
        end = min(pause.to_at or until, until)
        if end > begin:
            stood += end - begin
            stood_worked += worked(calendar, begin, end)
    counted = worked(calendar, start, until) - stood_worked
    return Reading(
        budget=budget,
        counted=counted,
        paused=stood,
        closed=(until - start) - stood - counted,
        due_at=due_at(calendar, start, budget, pauses),
        met_at=met_at,
    )
