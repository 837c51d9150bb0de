"""The read copy of the ERP's item master, one row per ERP key."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_method
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import Amount, Percent, Price, Qty, enum_column
from b2bcrm.kernel.database import Base, id_column


class ItemKind(enum.StrEnum):
    """How the item comes about."""

    MAKE = "make"
    BUY = "buy"
    SERVICE = "service"


class Item(Base):
    """Anything that can be sold, made or bought. ``no`` is the ERP's key.

    ``lead_time_days``: working days to replenish; ``standard_cost`` per base unit.
    """

    __tablename__ = "item"

    id: Mapped[int] = id_column()
    no: Mapped[str] = mapped_column(sa.String(60), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    name_zh_hant: Mapped[str] = mapped_column(sa.String(200), default="")
    name_zh_hans: Mapped[str] = mapped_column(sa.String(200), default="")
    spec: Mapped[str] = mapped_column(sa.String(300), default="")
    family: Mapped[str] = mapped_column(sa.String(40), index=True)
    kind: Mapped[ItemKind] = mapped_column(enum_column(ItemKind))
    unit: Mapped[str] = mapped_column(sa.String(10))
    lead_time_days: Mapped[int] = mapped_column(default=0)
    lot_size: Mapped[Decimal] = mapped_column(Qty, default=Decimal(1))
    standard_cost: Mapped[Decimal] = mapped_column(Price, default=Decimal(0))
    cost_currency: Mapped[str] = mapped_column(sa.String(3), default="TWD")
    weight_kg: Mapped[Decimal] = mapped_column(Qty, default=Decimal(0))
    sellable: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)

    def name_in(self, locale: str) -> str:
        """The item's name in the reader's language, English where there is none."""
        names = {"zh_Hant": self.name_zh_hant, "zh_Hans": self.name_zh_hans}
        return names.get(locale) or self.name


class BomRow(Base):
    """``qty_per`` of the component in one parent, from ``valid_from`` to ``valid_to``, both in.

    A row that stands in for another component of the parent is a substitute: ``qty_per`` is what
    one parent takes of it instead.
    """

    __tablename__ = "bom_row"
    __table_args__ = (
        sa.UniqueConstraint(
            "item_no",
            "component_no",
            "stands_in_for",
            "valid_from",
            "valid_to",
            name="uq_bom_row",
        ),
    )

    id: Mapped[int] = id_column()
    item_no: Mapped[str] = mapped_column(sa.String(60))
    component_no: Mapped[str] = mapped_column(sa.String(60), index=True)
    qty_per: Mapped[Decimal] = mapped_column(Price)
    scrap_pct: Mapped[Decimal] = mapped_column(Percent, default=Decimal(0))
    unit: Mapped[str] = mapped_column(sa.String(10))
    valid_from: Mapped[dt.date] = mapped_column(default=dt.date.min)  # always was
    valid_to: Mapped[dt.date] = mapped_column(default=dt.date.max)  # no end
    stands_in_for: Mapped[str] = mapped_column(sa.String(60), default="")

    @hybrid_method
    def counts_on(self, day: Any) -> bool:
        """Whether what is made on ``day`` takes the component: no substitute, and valid then.

        In a statement of the class, ``day`` may be a column.
        """
        valid: bool = (self.valid_from <= day) & (self.valid_to >= day)
        return valid & (self.stands_in_for == "")


class RoutingRow(Base):
    """One operation of making an item: hours are setup + per piece."""

    __tablename__ = "routing_row"
    __table_args__ = (sa.UniqueConstraint("item_no", "step_no"),)

    id: Mapped[int] = id_column()
    item_no: Mapped[str] = mapped_column(sa.String(60))
    step_no: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(80))
    work_center: Mapped[str] = mapped_column(sa.String(40))
    setup_hours: Mapped[Decimal] = mapped_column(Qty)
    unit_hours: Mapped[Decimal] = mapped_column(Price)


class WorkCenter(Base):
    """A machine group; ``station`` is its column on the virtual factory."""

    __tablename__ = "work_center"

    id: Mapped[int] = id_column()
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    site_code: Mapped[str] = mapped_column(sa.String(20))
    station: Mapped[str] = mapped_column(sa.String(20))
    hours_per_day: Mapped[Decimal] = mapped_column(Qty)
    calendar_code: Mapped[str] = mapped_column(sa.String(20))


class PriceBreak(Base):
    """Unit price from ``min_qty`` on; ``erp_id`` is the ERP's key of the row."""

    __tablename__ = "price_break"
    __table_args__ = (
        sa.Index("ix_price_break_item", "item_no", "price_list", "currency", "min_qty"),
    )

    id: Mapped[int] = id_column()
    erp_id: Mapped[str] = mapped_column(sa.String(120), unique=True)
    price_list: Mapped[str] = mapped_column(sa.String(20))
    item_no: Mapped[str] = mapped_column(sa.String(60))
    currency: Mapped[str] = mapped_column(sa.String(3))
    min_qty: Mapped[Decimal] = mapped_column(Qty)
    unit_price: Mapped[Decimal] = mapped_column(Price)
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None]


class SalesTarget(Base):
    """What management wants to book per month and family, in the base currency."""

    __tablename__ = "sales_target"
    __table_args__ = (sa.UniqueConstraint("month", "family"),)

    id: Mapped[int] = id_column()
    month: Mapped[dt.date]
    family: Mapped[str] = mapped_column(sa.String(40))
    amount: Mapped[Decimal] = mapped_column(Amount)


class ItemFamily(Base):
    """How people call a family; ``code`` is what the ERP writes on the item."""

    __tablename__ = "item_family"

    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    name_zh_hant: Mapped[str] = mapped_column(sa.String(120), default="")
    name_zh_hans: Mapped[str] = mapped_column(sa.String(120), default="")

    def name_in(self, locale: str) -> str:
        """The family's name in the reader's language, English where there is none."""
        names = {"zh_Hant": self.name_zh_hant, "zh_Hans": self.name_zh_hans}
        return names.get(locale) or self.name
