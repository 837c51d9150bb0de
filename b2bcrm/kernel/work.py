"""One request or command = one Work = one transaction; commit and rollback live here only.

A Work carries the session, who acts, and both clocks. ``publish`` writes the history row and
one outbox row per handler in the same transaction as the change itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from b2bcrm.kernel import outbox, timeline
from b2bcrm.kernel.actor import SYSTEM, Actor
from b2bcrm.kernel.clock import HOME_ZONE, Clock
from b2bcrm.kernel.database import BusinessClock
from b2bcrm.kernel.events import Event

Routes = Mapping[str, tuple[str, ...]]
_AHEAD = sa.select(BusinessClock.ahead_s)  # built once: every Work asks it


@dataclass
class Work:
    """``now`` is business time, ``tick`` machine time, both aware UTC.

    ``bumped`` are the topics of change counters that grow when the Work ends.
    """

    session: Session
    actor: Actor
    now: dt.datetime
    tick: dt.datetime
    routes: Routes = field(default_factory=dict)
    bumped: set[str] = field(default_factory=set)

    @cached_property
    def today(self) -> dt.date:
        """The business date in the home zone."""
        return self.now.astimezone(HOME_ZONE).date()

    def rows(
        self, statement: sa.Executable, values: Mapping[str, object] | None = None
    ) -> Sequence[Any]:
        """What a SELECT of plain columns finds: half the cost of the same through the session."""
        self.session.flush()  # flush: a connection knows nothing of what the session still holds
        return self.session.connection().execute(statement, values).all()

    def publish(self, event: Event) -> None:
        """Record a fact: history row, page counters, and one delivery per handler."""
        actor = self.actor
        self.session.add(
            timeline.entry(event, self.now, actor.name, actor.role.value, actor.user_id)
        )
        self.bump(f"{event.subject}:{event.subject_id}")
        if event.order_id is not None and event.subject != "order":
            self.bump(f"order:{event.order_id}")
        for handler in self.routes.get(event.name, ()):
            outbox.enqueue(self.session, event, handler, self.tick)
        self.session.flush()  # flush: an answer shows the version that the act has made

    def bump(self, topic: str) -> None:
        """Tell whoever watches that ``topic`` changed, and of ``order:12`` that an order did."""
        kind, is_one, _id = topic.partition(":")
        self.bumped |= {topic, kind} if is_one else {topic}

    def settle(self) -> None:
        """Write what is written last, just before the commit: the counters of what changed.

        Two Works that count the same topics lock them in the same order and for a moment only.
        """
        timeline.bump(self.session, *sorted(self.bumped))


@dataclass(frozen=True)
class Office:
    """Where Works are opened: the database, the clock, and which handler follows which event."""

    engine: Engine
    clock: Clock = field(default_factory=Clock)
    routes: Routes = field(default_factory=dict)

    @contextmanager
    def open(self, actor: Actor = SYSTEM, *, read_only: bool = False) -> Iterator[Work]:
        """A Work that commits when the block ends and rolls back when it raises.

        A read-only Work never takes the write lock and is always rolled back.
        """
        options = {"ro": True} if read_only else {}
        with self.engine.connect().execution_options(**options) as connection:
            session = Session(connection, expire_on_commit=False, autoflush=True)
            try:
                tick = self.clock.tick()
                ahead = session.connection().scalar(_AHEAD) or 0
                work = Work(
                    session=session,
                    actor=actor,
                    now=tick + dt.timedelta(seconds=ahead),
                    tick=tick,
                    routes=self.routes,
                )
                yield work
                if not read_only:  # to close without commit undoes
                    work.settle()
                    session.commit()
            except BaseException:
                session.rollback()
                raise
            finally:
                session.close()
