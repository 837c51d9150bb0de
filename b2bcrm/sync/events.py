"""What the engine tells: a feed that is too old, a run that asks, a connection that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from b2bcrm.kernel.events import Event
from b2bcrm.kernel.words import Message


@dataclass(frozen=True, kw_only=True)
class FeedStale(Event):
    """A feed is older than its limit: said once, until it is fresh again."""

    name: ClassVar[str] = "feed.stale"
    subject: ClassVar[str] = "feed"
    feed: Message
    connection: str
    limit_minutes: int

    def sentence(self) -> Message:
        """Which feed, and how old it may be."""
        return Message(
            "%(feed)s from the ERP (%(code)s) are older than %(n)s minutes.",
            feed=self.feed,
            code=self.connection,
            n=self.limit_minutes,
        )


@dataclass(frozen=True, kw_only=True)
class GuardAsked(Event):
    """A run would change or remove too much: nothing was written, a person decides."""

    name: ClassVar[str] = "feed.guard_asked"
    subject: ClassVar[str] = "feed"
    feed: Message
    what: Message

    def sentence(self) -> Message:
        """Which feed, and what it would do."""
        return Message("%(feed)s: %(what)s", feed=self.feed, what=self.what)


@dataclass(frozen=True, kw_only=True)
class FeedActed(Event):
    """A person did something to a feed: paused it, said yes or no, closed a notice."""

    name: ClassVar[str] = "feed.acted"
    subject: ClassVar[str] = "feed"
    feed: Message
    what: Message

    def sentence(self) -> Message:
        """Which feed, and what was done."""
        return Message("%(feed)s: %(what)s", feed=self.feed, what=self.what)


@dataclass(frozen=True, kw_only=True)
class ConnectionChanged(Event):
    """Settings, sending or notices of a connection were changed by a person."""

    name: ClassVar[str] = "connection.changed"
    subject: ClassVar[str] = "erp_connection"
    code: str
    what: Message

    def sentence(self) -> Message:
        """Which connection, and what."""
        return Message("ERP connection %(code)s: %(what)s", code=self.code, what=self.what)


EVENTS: tuple[type[Event], ...] = (FeedStale, GuardAsked, FeedActed, ConnectionChanged)
