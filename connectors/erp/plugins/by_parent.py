"""Lists of an ERP that only tells the keys of everything, and the rest one by one.

``[calls.parents_ENTITY]`` gives the keys (of the records themselves, or of what they belong to),
``[calls.children_ENTITY]`` the records of one ``parent``. A page covers some parents; where the ERP
sorts nothing, ours is the order.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

from b2bcrm.ports.erp import Drifted, Entity, ErpUnknownRecord, Page, Record
from connectors.erp.channel import Channel
from connectors.erp.plugins import Plugin as Base

PARENTS_PER_PAGE = 50


class Plugin(Base):
    """Holds nothing between calls: each page reads the keys anew and goes on behind the cursor."""

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
        if f"parents_{entity}" not in channel.profile.calls:
            return None
        at = channel.server_time
        keys = channel.call(f"parents_{entity}")
        at = at or channel.server_time
        whole = keys.announced in {None, keys.seen[0]} and not keys.drift
        behind = [
            key for key in _sorted(keys.rows[0]) if cursor is None or _order(key) > _order(cursor)
        ]
        chosen = behind[: min(page_size, PARENTS_PER_PAGE)]
        page = _Page()
        for parent in chosen:
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
        more = len(behind) > len(chosen)
        return Page(
            records=page.records,
            next_cursor=chosen[-1] if more else None,
            high_watermark=at,
            complete=whole and not page.drift,
            announced=None,
            drift=tuple(page.drift),
            unknown=page.unknown,
        )


@dataclasses.dataclass
class _Page:
    records: list[Record] = dataclasses.field(default_factory=list)
    drift: list[Drifted] = dataclasses.field(default_factory=list)
    unknown: dict[str, int] = dataclasses.field(default_factory=dict)


def _order(key: str) -> tuple[int, str]:
    """Numbers by their size, anything else as text of a length."""
    return len(key), key


def _sorted(keys: list[object]) -> list[str]:
    return sorted({str(getattr(key, "erp_id", "")) for key in keys}, key=_order)
