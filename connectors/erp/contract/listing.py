"""Checks of reading: lists are complete however they are paged, single records equal them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import Act, Delta, Entity, Paging, Record, StockLevel, WorkOrder
from connectors.erp.contract.findings import Failed, Skipped
from connectors.erp.contract.ground import Ground, Listing, names, some

SMALL_PAGES_UP_TO = 3000  # rows of a list that is read again in small pages
PAGES_WANTED = 7
UNKNOWN = "CRM-CERT-0"
DELTA_SHARE = 0.8  # the instant at which this share of a list is older
AHEAD = dt.timedelta(minutes=5)
ASKED_AT_ONCE = 20


def complete(ground: Ground) -> Message:
    """Every list is complete, and each page sends as many rows as it announces."""
    for listing in ground.listings():
        if listing.gaps:
            raise Failed(
                Message("%(entity)s: %(gap)s", entity=listing.entity.value, gap=listing.gaps[0])
            )
        if not listing.whole:
            ground.oddities.append(
                Message(
                    "%(entity)s: only the first %(count)s records were looked at.",
                    entity=listing.entity.value,
                    count=len(listing.records),
                )
            )
    silent = [x.entity.value for x in ground.listings() if not x.announced]
    if silent:
        ground.oddities.append(
            Message(
                "Pages do not announce how many rows they send: %(names)s.", names=names(silent)
            )
        )
    return Message(
        "%(rows)s records of %(entities)s entities in %(pages)s pages.",
        rows=sum(len(x.records) for x in ground.listings()),
        entities=len(list(ground.listings())),
        pages=sum(x.pages for x in ground.listings()),
    )


def paging(ground: Ground) -> Message:
    """Small pages give the same records as large ones, and no key comes twice."""
    rows = pages = 0
    for listing in ground.listings():
        doubled = [key for key, n in Counter(r.erp_id for r in listing.records).items() if n > 1]
        if doubled:
            raise Failed(_of(listing, Message("keys come twice: %(keys)s", keys=names(doubled))))
        paged = ground.capability(listing.entity).paging is not Paging.NONE
        if not paged or not 1 < len(listing.records) <= SMALL_PAGES_UP_TO:
            continue
        small = ground.read(listing.entity, page_size=max(1, len(listing.records) // PAGES_WANTED))
        if len(small.records) != len({r.erp_id for r in small.records}):
            raise Failed(_of(listing, Message("small pages bring a key twice")))
        if odd := _differing(ground, listing.by_id(), small.by_id()):
            raise Failed(_of(listing, Message("small pages differ: %(keys)s", keys=names(odd))))
        rows, pages = rows + len(small.records), pages + small.pages
    if not pages:
        return Message("No key comes twice; nothing is paged.")
    return Message("%(rows)s records again in %(pages)s small pages.", rows=rows, pages=pages)


def single(ground: Ground) -> Message:
    """A single record equals the listed one; an unknown key is nothing, not an error."""
    count = 0
    for entity in ground.can(Act.GET):
        for listed in some(_listed(ground, entity)):
            found = ground.one(entity, listed.erp_id)
            if found != listed and ground.settled(found or listed):
                what = names(_unequal(listed, found)) if found else "-"
                raise Failed(
                    Message(
                        "%(entity)s %(no)s differs from the list in: %(fields)s",
                        entity=entity.value,
                        no=listed.erp_id,
                        fields=what,
                    )
                )
            count += 1
        if ground.one(entity, UNKNOWN) is not None:
            raise Failed(Message("%(entity)s: a made-up key is found.", entity=entity.value))
    return Message("%(count)s records read singly; made-up keys are not found.", count=count)


def keys(ground: Ground) -> Message:
    """The list of keys and versions equals the list of records."""
    count = 0
    for entity in ground.can(Act.LIST_KEYS):
        listing = ground.listing(entity) if ground.info.can(entity, Act.LIST) else None
        if listing is None or not listing.whole:
            continue
        found: dict[str, str] = {}
        cursor = None
        while True:
            page = ground.gateway.list_keys(entity, cursor=cursor)
            found.update(page.keys)
            if not page.complete:
                raise Failed(_of(listing, Message("the list of keys is not complete")))
            if page.next_cursor is None or page.next_cursor == cursor:
                break
            cursor = page.next_cursor
        listed = {r.erp_id: r.version for r in listing.records if ground.settled(r)}
        wrong = [key for key, version in listed.items() if found.get(key) != version]
        if wrong:
            raise Failed(_of(listing, Message("keys differ: %(keys)s", keys=names(wrong))))
        count += len(found)
    if not count:
        raise Skipped(Message("No list is short enough to be compared as a whole."))
    return Message("%(count)s keys with their versions.", count=count)


def delta(ground: Ground) -> Message:
    """A list since an instant holds all of what changed since, and only that."""
    tried = []
    offered = [e for e in ground.can(Act.LIST) if ground.capability(e).delta is not Delta.NONE]
    if not offered:
        raise Skipped(Message("No list can be limited to what changed."))
    for entity in offered:
        listing = ground.listing(entity)
        stamps = sorted(r.updated_at for r in listing.records if r.updated_at is not None)
        if listing.whole and len(stamps) > 1:
            _delta_of(ground, listing, stamps[int(len(stamps) * DELTA_SHARE)])
            tried.append(entity.value)
    if not tried:
        raise Skipped(Message("No record says when it was changed."))
    return Message("Compared by the records' own times: %(names)s.", names=", ".join(tried))


def _delta_of(ground: Ground, listing: Listing, since: dt.datetime) -> None:
    changed = ground.read(listing.entity, page_size=500, since=since)
    found = changed.by_id()
    expected = {r.erp_id for r in listing.records if r.updated_at and r.updated_at >= since}
    if lost := expected - found.keys():
        raise Failed(_of(listing, Message("changed, but not listed: %(keys)s", keys=names(lost))))
    by_day = ground.capability(listing.entity).delta is Delta.DATE
    edge = since - ground.info.overlap - dt.timedelta(days=by_day)
    old = [r.erp_id for r in changed.records if r.updated_at and r.updated_at < edge]
    if old:
        raise Failed(_of(listing, Message("not changed, but listed: %(keys)s", keys=names(old))))
    mark = changed.watermark
    if mark is None:
        raise Failed(_of(listing, Message("the list does not say up to when it is complete")))
    skew = dt.timedelta(seconds=abs(ground.gateway.check().clock_skew_s or 0))
    if mark > ground.now() + skew + AHEAD:
        raise Failed(_of(listing, Message("the list says that it is complete up to a future time")))


def lookup(ground: Ground) -> Message:
    """A record is found by its other keys, and only by the whole of them."""
    tried = []
    for entity in ground.can(Act.LOOKUP):
        if entity is Entity.STOCK:
            continue  # a look-up of stock is ``stock``
        for field in sorted(ground.capability(entity).lookup_fields):
            if ground.gateway.lookup(entity, field, UNKNOWN):
                raise Failed(
                    Message(
                        "%(entity)s: a made-up %(field)s is found.",
                        entity=entity.value,
                        field=field,
                    )
                )
            held = [r for r in _listed(ground, entity) if getattr(r, field, "")]
            for listed in some(held):
                value = getattr(listed, field)
                found = ground.gateway.lookup(entity, field, value)
                if listed.erp_id not in {r.erp_id for r in found}:
                    raise Failed(
                        Message("%(entity)s %(no)s is not found by its %(field)s.",
                                entity=entity.value, no=listed.erp_id, field=field)
                    )  # fmt: skip
            tried.append(f"{entity.value}.{field} ({len(some(held))})")
    return Message("Found by %(names)s; made-up values find nothing.", names=", ".join(tried))


def operations(ground: Ground) -> Message:
    """Progress of named work orders equals the listed one; unknown numbers are left out."""
    ground.must(Entity.WORK_ORDER, Act.OPERATIONS)
    orders = {
        r.erp_id: r.operations
        for r in _listed(ground, Entity.WORK_ORDER)
        if isinstance(r, WorkOrder) and r.operations and ground.settled(r)
    }
    asked = some(list(orders), ASKED_AT_ONCE)
    found = ground.gateway.operations([*asked, UNKNOWN])
    if UNKNOWN in found:
        raise Failed(Message("A made-up work order has operations."))
    wrong = [no for no in asked if found.get(no) != orders[no]]
    if wrong:
        raise Failed(Message("They differ for %(keys)s.", keys=names(wrong)))
    return Message("%(count)s work orders.", count=len(asked))


def stock(ground: Ground) -> Message:
    """Stock asked for directly equals the stock list."""
    ground.must(Entity.STOCK, Act.LOOKUP)
    listed = {
        (r.item, r.site): r
        for r in _listed(ground, Entity.STOCK)
        if isinstance(r, StockLevel) and ground.settled(r)
    }
    asked = sorted({item for item, _ in some(list(listed), ASKED_AT_ONCE)})
    levels = ground.gateway.stock(asked)
    found = {(level.item, level.site): level for level in levels}
    wrong = [
        item
        for (item, site), row in listed.items()
        if item in asked
        and ((level := found.get((item, site))) is None
             or (level.on_hand, level.allocated) != (row.on_hand, row.allocated))
    ]  # fmt: skip
    if wrong:
        raise Failed(Message("They differ for %(keys)s.", keys=names(wrong)))
    return Message("%(count)s items.", count=len(asked))


def _listed(ground: Ground, entity: Entity) -> Sequence[Record]:
    return ground.listing(entity).records if ground.info.can(entity, Act.LIST) else ()


def _of(listing: Listing, what: Message) -> Message:
    return Message("%(entity)s: %(gap)s", entity=listing.entity.value, gap=what)


def _differing(ground: Ground, one: dict[str, Record], two: dict[str, Record]) -> list[str]:
    """Keys of settled records that are not the same in both."""
    return [
        key
        for key in one.keys() | two.keys()
        if one.get(key) != two.get(key) and ground.settled(one.get(key) or two[key])
        and ground.settled(two.get(key) or one[key])
    ]  # fmt: skip


def _unequal(one: Record, two: Record) -> list[str]:
    """Names of the fields in which two records of a kind differ."""
    return [name for name in vars(one) if getattr(one, name) != getattr(two, name, None)]
