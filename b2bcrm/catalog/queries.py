"""Reading the catalogue: items, their prices on a day, what they are made of and go into.

An item is nobody's secret among staff; which items a customer may see is the portal's question.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from b2bcrm.catalog.models import (
    BomRow,
    Item,
    ItemFamily,
    ItemKind,
    PriceBreak,
    RoutingRow,
    SalesTarget,
)
from b2bcrm.kernel.database import Base
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.matching import holds, starts
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work

MIN_SEARCH = 2
_WHAT = Message("This item")


@dataclass(frozen=True)
class ItemHit:
    """A found item; ``customer_part_no`` is the asked account's, or the one it was found by."""

    id: int
    no: str
    name: str
    name_zh_hant: str
    name_zh_hans: str
    family: str
    unit: str
    customer_part_no: str = ""

    def name_in(self, locale: str) -> str:
        """The name in the reader's language, English where there is none."""
        names = {"zh_Hant": self.name_zh_hant, "zh_Hans": self.name_zh_hans}
        return names.get(locale) or self.name


@dataclass(frozen=True)
class PriceStep:
    """``unit_price`` holds from ``min_qty`` pieces on."""

    min_qty: Decimal
    unit_price: Decimal


@dataclass(frozen=True)
class Ladder:
    """The steps of one price list in one currency, smallest quantity first."""

    price_list: str
    currency: str
    steps: tuple[PriceStep, ...]

    def at(self, qty: Decimal) -> PriceStep | None:
        """The step that ``qty`` reaches; None below the first."""
        reached = [step for step in self.steps if step.min_qty <= qty]
        return reached[-1] if reached else None


@dataclass(frozen=True)
class Window:
    """``since``: the day from which a row counts, None if it does; ``until``: the last, if any."""

    since: dt.date | None = None
    until: dt.date | None = None


@dataclass(frozen=True)
class BomNode:
    """A component at ``depth`` (1 = goes directly in). ``qty`` is for one of the root item.

    ``instead`` are its substitutes in this parent.
    """

    depth: int
    no: str
    item: Item | None
    qty_per: Decimal
    qty: Decimal
    scrap_pct: Decimal
    unit: str
    window: Window
    instead: Sequence[BomNode] = ()


@dataclass(frozen=True)
class UsedIn:
    """A parent and how many of the component one of it takes, or takes instead of another."""

    item: Item
    qty_per: Decimal
    unit: str
    stands_in_for: str
    window: Window


def item(work: Work, item_id: int) -> Item:
    """The item, or NotFound."""
    found = work.session.get(Item, item_id)
    if found is None:
        raise not_found(_WHAT)
    return found


def item_by_no(work: Work, no: str) -> Item:
    """The item with this exact number, or NotFound."""
    found = work.session.scalar(sa.select(Item).where(Item.no == no))
    if found is None:
        raise not_found(_WHAT)
    return found


def items_by_id(session: Session, ids: Iterable[int]) -> dict[int, Item]:
    """The items that exist among ``ids``, in one statement."""
    rows = session.scalars(sa.select(Item).where(Item.id.in_(set(ids))))
    return {row.id: row for row in rows}


def search_items(
    work: Work,
    text: str,
    *,
    account_id: int | None = None,
    sellable_only: bool = True,
    limit: int = 20,
) -> Sequence[ItemHit]:
    """Items by number, name in any language, or a customer's own part number; best first.

    With ``account_id`` only that customer's numbers count, and a portal's reader can ask for
    no other account than his own. Shorter texts than two characters find nothing.
    """
    if work.actor.is_portal:
        account_id = work.actor.account_id or 0
    if len(text.strip()) < MIN_SEARCH and text.strip().isascii():
        return ()
    part = Base.metadata.tables["customer_part"]
    of_account = part.c.item_id == Item.id
    if account_id is not None:
        of_account &= part.c.account_id == account_id
    number = (
        sa.select(sa.func.min(part.c.part_no))
        .where(of_account, starts(part.c.part_no, text))
        .scalar_subquery()
    )
    own = (
        sa.select(sa.func.min(part.c.part_no)).where(of_account).scalar_subquery()
        if account_id is not None
        else sa.literal("")
    )
    by_part = (
        sa.select(part.c.item_id).where(starts(part.c.part_no, text))
        if account_id is None
        else sa.select(part.c.item_id).where(
            part.c.account_id == account_id, starts(part.c.part_no, text)
        )
    )
    names = (Item.name, Item.name_zh_hant, Item.name_zh_hans, Item.spec)
    query = (
        sa.select(
            Item.id,
            Item.no,
            Item.name,
            Item.name_zh_hant,
            Item.name_zh_hans,
            Item.family,
            Item.unit,
            sa.func.coalesce(number, own, ""),
        )
        .where(
            Item.active,
            sa.or_(holds(Item.no, text), *(holds(n, text) for n in names), Item.id.in_(by_part)),
        )
        .order_by(sa.case((starts(Item.no, text), 0), (Item.id.in_(by_part), 1), else_=2), Item.no)
        .limit(limit)
    )
    if sellable_only:
        query = query.where(Item.sellable)
    return [ItemHit(*row) for row in work.session.execute(query)]


def price_ladder(
    session: Session, item_no: str, price_list: str, currency: str, on: dt.date
) -> Ladder:
    """The steps valid on a day; where validities overlap, the newest row of a step wins."""
    ladders = price_ladders(session, item_no, on, price_list=price_list, currency=currency)
    return ladders[0] if ladders else Ladder(price_list, currency, ())


def price_ladders(
    session: Session,
    item_no: str,
    on: dt.date,
    *,
    price_list: str | None = None,
    currency: str | None = None,
) -> Sequence[Ladder]:
    """All ladders of an item valid on a day, one per price list and currency."""
    query = (
        sa.select(PriceBreak)
        .where(
            PriceBreak.item_no == item_no,
            PriceBreak.valid_from <= on,
            sa.or_(PriceBreak.valid_to.is_(None), PriceBreak.valid_to >= on),
        )
        .order_by(PriceBreak.price_list, PriceBreak.currency, PriceBreak.min_qty)
        .order_by(PriceBreak.valid_from, PriceBreak.id)
    )
    if price_list is not None:
        query = query.where(PriceBreak.price_list == price_list)
    if currency is not None:
        query = query.where(PriceBreak.currency == currency)
    steps: dict[tuple[str, str], dict[Decimal, Decimal]] = defaultdict(dict)
    for row in session.scalars(query):
        steps[row.price_list, row.currency][row.min_qty] = row.unit_price
    return [
        Ladder(name, code, tuple(PriceStep(qty, price) for qty, price in sorted(found.items())))
        for (name, code), found in steps.items()
    ]


def where_used(session: Session, item_no: str, on: dt.date) -> Sequence[UsedIn]:
    """The items that take this one directly on a day or later."""
    query = (
        sa.select(Item, BomRow)
        .join(BomRow, BomRow.item_no == Item.no)
        .where(BomRow.component_no == item_no, BomRow.valid_to >= on)
        .order_by(Item.no, BomRow.stands_in_for, BomRow.valid_from)
    )
    return [
        UsedIn(item, row.qty_per, row.unit, row.stands_in_for, _window(row, on))
        for item, row in session.execute(query)
    ]


def bom_tree(session: Session, item_no: str, on: dt.date, *, levels: int = 3) -> Sequence[BomNode]:
    """The components on a day or later, depth first, down to ``levels``, in one statement.

    A component that contains itself is shown once and not opened again; one that does not count
    on the day yet is not opened either.
    """
    root = sa.select(
        sa.cast(sa.literal(item_no), sa.String(60)).label("no"), sa.literal(0).label("depth")
    )
    opened = root.cte("opened", recursive=True)
    opened = opened.union(
        sa.select(BomRow.component_no, opened.c.depth + 1)
        .join(opened, BomRow.item_no == opened.c.no)
        .where(opened.c.depth < levels - 1, BomRow.counts_on(on))
    )
    query = (
        sa.select(BomRow, Item)
        .outerjoin(Item, Item.no == BomRow.component_no)
        .where(BomRow.item_no.in_(sa.select(opened.c.no)), BomRow.valid_to >= on)
        .order_by(BomRow.component_no, BomRow.valid_from)
    )
    children: dict[tuple[str, str], list[tuple[BomRow, Item | None]]] = defaultdict(list)
    for row, component in session.execute(query):
        children[row.item_no, row.stands_in_for].append((row, component))
    nodes: list[BomNode] = []

    def node(row: BomRow, component: Item | None, depth: int, qty: Decimal) -> BomNode:
        instead = children.get((row.item_no, row.component_no), ())
        return BomNode(
            depth=depth,
            no=row.component_no,
            item=component,
            qty_per=row.qty_per,
            qty=qty * row.qty_per,
            scrap_pct=row.scrap_pct,
            unit=row.unit,
            window=_window(row, on),
            instead=() if row.stands_in_for else [node(*one, depth, qty) for one in instead],
        )

    def open_up(parent: str, path: tuple[str, ...], qty: Decimal) -> None:
        for row, component in children.get((parent, ""), ()):
            found = node(row, component, len(path), qty)
            nodes.append(found)
            if found.no not in path and len(path) < levels and row.counts_on(on):
                open_up(found.no, (*path, found.no), found.qty)

    open_up(item_no, (item_no,), Decimal(1))
    return nodes


def _window(row: BomRow, on: dt.date) -> Window:
    return Window(
        row.valid_from if row.valid_from > on else None,
        row.valid_to if row.valid_to < dt.date.max else None,
    )


def routing(session: Session, item_no: str) -> Sequence[RoutingRow]:
    """The operations of making the item, in their order."""
    query = sa.select(RoutingRow).where(RoutingRow.item_no == item_no)
    return session.scalars(query.order_by(RoutingRow.step_no)).all()


def families(session: Session) -> Sequence[str]:
    """The families of items that can be sold, in alphabetical order."""
    query = sa.select(Item.family).where(Item.sellable).distinct().order_by(Item.family)
    return session.scalars(query).all()


def all_families(session: Session) -> Sequence[str]:
    """The families of all active items, parts included."""
    query = sa.select(Item.family).where(Item.active).distinct().order_by(Item.family)
    return session.scalars(query).all()


def family_names(session: Session) -> dict[str, ItemFamily]:
    """How people call the families, by code; a code without a name is shown as it is."""
    return {row.code: row for row in session.scalars(sa.select(ItemFamily))}


def price_lists(session: Session) -> Sequence[tuple[str, str]]:
    """The price lists and currencies in which we have prices."""
    query = (
        sa.select(PriceBreak.price_list, PriceBreak.currency)
        .distinct()
        .order_by(PriceBreak.price_list, PriceBreak.currency)
    )
    return [(name, code) for name, code in session.execute(query)]


def targets(session: Session, first: dt.date, last: dt.date) -> dict[tuple[dt.date, str], Decimal]:
    """Sales targets in base currency by (first day of the month, family)."""
    query = sa.select(SalesTarget).where(SalesTarget.month.between(first, last))
    return {(row.month, row.family): row.amount for row in session.scalars(query)}


KIND_WORDS = {
    ItemKind.MAKE: Message("Made here"),
    ItemKind.BUY: Message("Bought"),
    ItemKind.SERVICE: Message("Service"),
}
