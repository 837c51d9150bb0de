"""Lists of an ERP that only tells the keys of everything, and the rest one by one.

``[calls.parents_ENTITY]`` gives the keys (of the records themselves, or of what they belong to),
``[calls.children_ENTITY]`` the records of one ``parent``, ``[calls.find_ENTITY_FIELD]`` the keys of
the records with another key. A page covers some parents. Where the call that gives the keys has
pages of its own, these are the pages; else the keys are read anew for each, and since such an ERP
sorts nothing, ours is the order.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from b2bcrm.ports.erp import Drifted, Entity, ErpUnknownRecord, Page, Record
from connectors.erp import listing
from connectors.erp.channel import Channel, understood
from connectors.erp.plugins import Plugin as Base
from connectors.erp.profile.model import PageStyle

PARENTS_PER_PAGE = 50


class Plugin(Base):
    """Holds nothing between calls."""

    def list(
        self,
        channel: Channel,
        entity: Entity,
        *,
        since: dt.datetime | None,
        cursor: str | None,
        page_size: int,
    ) -> Page | None:
        """The records of the next parents. There is no delta: ``since`` changes nothing."""
        del since
        call = channel.profile.calls.get(f"parents_{entity}")
        if call is None:
            return None
        at = channel.server_time
        size = min(page_size, PARENTS_PER_PAGE)
        if call.paged.style is PageStyle.NONE:
            chosen = _sorted_part(channel, entity, cursor, size)
        else:
            chosen = _own_page(channel, entity, cursor, size)
        at = at or channel.server_time
        page = _Page()
        for parent in chosen.parents:
            try:
                reply = channel.call(f"children_{entity}", parent=parent)
            except ErpUnknownRecord:
                continue  # gone since the keys were read
            if reply.announced not in {None, reply.seen[0]}:
                text = f"{reply.announced} rows announced, {reply.seen[0]} read"
                page.drift.append(Drifted(parent, "announced", text))
            page.records += reply.rows[0]
            page.drift += reply.drift
            for path, count in reply.unknown.items():
                page.unknown[path] = page.unknown.get(path, 0) + count
        return Page(
            records=page.records,
            next_cursor=chosen.following,
            high_watermark=at,
            complete=chosen.whole and not page.drift,
            announced=None,
            drift=tuple(page.drift),
            unknown=page.unknown,
        )

    def lookup(
        self, channel: Channel, entity: Entity, field: str, value: str
    ) -> Sequence[Record] | None:
        """The keys first, then each record. One that cannot be read is an error."""
        name = f"find_{entity}_{field}"
        if name not in channel.profile.calls:
            return None
        found: list[Record] = []
        for key in understood(channel.call(name, value=value)).rows[0]:
            try:
                reply = channel.call(f"children_{entity}", parent=key.erp_id)
            except ErpUnknownRecord:
                continue
            found += understood(reply).rows[0]
        return found


@dataclasses.dataclass
class _Parents:
    """The keys of one page, the cursor of the next, and whether nothing is missing."""

    parents: Sequence[str]
    following: str | None
    whole: bool


@dataclasses.dataclass
class _Page:
    records: list[Record] = dataclasses.field(default_factory=list)
    drift: list[Drifted] = dataclasses.field(default_factory=list)
    unknown: dict[str, int] = dataclasses.field(default_factory=dict)


def _own_page(channel: Channel, entity: Entity, cursor: str | None, size: int) -> _Parents:
    """A page of keys as the ERP gives it."""
    call = channel.known(f"parents_{entity}")
    reply = channel.call(call.name, **listing.asked(call, cursor, size))
    page = listing.page_of(
        call,
        reply,
        channel.profile.formats,
        cursor=cursor,
        page_size=size,
        server_time=channel.server_time,
    )
    return _Parents([key.erp_id for key in page.records], page.next_cursor, page.complete)


def _sorted_part(channel: Channel, entity: Entity, cursor: str | None, size: int) -> _Parents:
    """All keys, of which those behind the cursor count."""
    keys = channel.call(f"parents_{entity}")
    whole = keys.announced in {None, keys.seen[0]} and not keys.drift
    behind = [
        key for key in _sorted(keys.rows[0]) if cursor is None or _order(key) > _order(cursor)
    ]
    chosen = behind[:size]
    more = len(behind) > len(chosen)
    return _Parents(chosen, chosen[-1] if more else None, whole)


def _order(key: str) -> tuple[int, str]:
    """Numbers by their size, anything else as text of a length."""
    return len(key), key


def _sorted(keys: Sequence[object]) -> list[str]:
    return sorted({str(getattr(key, "erp_id", "")) for key in keys}, key=_order)
