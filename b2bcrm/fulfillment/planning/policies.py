"""What delivery policies do to dates: lines wait for each other, or leave in two. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from b2bcrm.fulfillment.planning.chain import UNPEGGED, Outlook, outlook, settle
from b2bcrm.fulfillment.planning.explain import Why
from b2bcrm.fulfillment.planning.facts import Line, Supplies
from b2bcrm.fulfillment.planning.progress import plain
from b2bcrm.kernel.words import Message

TOO_LATE = Message("Would come too late")


def outlooks(lines: Mapping[int, Line], supplies: Supplies, today: dt.date) -> dict[int, Outlook]:
    """What is expected of the lines of one order, by line id.

    Lines that leave together leave when the last of them can. One without a day holds up nobody:
    nothing is known of it.
    """
    views = {key: outlook(line, supplies, today) for key, line in lines.items()}
    groups: dict[str, list[int]] = defaultdict(list)
    for key, line in lines.items():
        if line.leaves_with and line.left > 0 and views[key].ship_on is not None:
            groups[line.leaves_with].append(key)
    for keys in groups.values():
        last_on, last = max((views[key].ship_on or today, lines[key].line_no) for key in keys)
        for key in keys:
            if views[key].ship_on != last_on:
                view = replace(views[key], buffer=None, waits_for=last, with_on=last_on)
                settle(lines[key], view, today)
                views[key] = view
    return views


def in_two(line: Line, view: Outlook) -> dict[str, str] | None:
    """What the plan sends ahead and when the rest leaves, as a projection keeps it."""
    plan = line.plan
    if plan is None or not plan.ahead or plan.ahead_on is None or view.source not in UNPEGGED:
        return None
    on = line.calendar.add_days(plan.ahead_on, 1)
    if view.ship_on is None or on >= view.ship_on:
        return None
    return {"qty": plain(plan.ahead), "on": on.isoformat(), "rest_on": view.ship_on.isoformat()}


def beyond(line: Line, view: Outlook, why: Why) -> Why:
    """The same for a line that comes later than it may: that is said, too."""
    if line.latest_on is None or view.projected_on is None or view.projected_on <= line.latest_on:
        return why
    cause = Message(
        "%(cause)s It may come on %(day)s at the latest.", cause=why.cause, day=line.latest_on
    )
    return replace(why, cause=cause)
