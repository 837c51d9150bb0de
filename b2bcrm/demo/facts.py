"""What happened when, for the timeline: the events' own sentences at their instants."""

from __future__ import annotations

import datetime as dt

from b2bcrm.demo.rows import Row, Rows
from b2bcrm.demo.scene import Person
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.timeline import TimelineEntry


class Facts:
    """Timeline rows in the making; nothing is published, so nothing is mailed or pushed."""

    def __init__(self) -> None:
        self._rows: list[Row] = []

    def add(self, event: Event, moment: dt.datetime, by: Person) -> None:
        """``event`` happened at ``moment`` by ``by``."""
        self._rows.append(
            {
                "at": moment,
                "name": event.name,
                "subject": event.subject,
                "subject_id": event.subject_id,
                "account_id": event.account_id,
                "order_id": event.order_id,
                "actor_name": by.name,
                "actor_role": by.role,
                "actor_user_id": by.user_id,
                "sentence": event.sentence(),
                "portal_sentence": event.portal_sentence(),
            }
        )

    def write(self, rows: Rows) -> None:
        """Write them, oldest first."""
        self._rows.sort(key=lambda row: row["at"])
        for row in self._rows:
            row["id"] = rows.next_id(TimelineEntry)
        rows.put(TimelineEntry, self._rows)
        self._rows.clear()
