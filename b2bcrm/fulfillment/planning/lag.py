"""How far a work order is behind its plan, by its operations. Pure."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

from b2bcrm.fulfillment.planning.facts import ZERO, Make, Step
from b2bcrm.kernel.calendar import WorkCalendar


def lag(make: Make, today: dt.date, cal: WorkCalendar) -> tuple[int, str]:
    """Working days by which the operations are behind plan, and the worst one's work centre."""
    worst, center = 0, ""
    now = cal.next_working(today)
    open_steps = [step for step in make.steps if not step.done]
    for step in open_steps or [_whole(make)]:
        length = cal.days_between(step.start_on, step.end_on) + 1
        share = 1 - min(Decimal(1), step.qty_done / make.qty) if make.qty else ZERO
        needs = max(1, math.ceil(length * share))
        begins = max(now, step.start_on) if step.qty_done == 0 else now
        behind = cal.days_between(step.end_on, cal.add_days(begins, needs - 1))
        center = center or step.center
        if behind > worst:
            worst, center = behind, step.center
    return worst, center


def _whole(make: Make) -> Step:
    """The work order as one operation, for ERPs that report none."""
    return Step(
        step_no=0,
        name="",
        center="",
        station="",
        done=False,
        qty_done=make.completed,
        start_on=make.started_on or make.start_on,
        end_on=make.end_on,
    )
