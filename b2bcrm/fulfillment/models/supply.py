"""The read copy of the ERP's supply and deliveries, one row per ERP key."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from b2bcrm.kernel.columns import Amount, Qty, UtcDateTime
from b2bcrm.kernel.database import Base, id_column


class Stock(Base):
    """On hand and allocated of an item at a site, as the ERP saw it at ``as_of``."""

    __tablename__ = "stock"
    __table_args__ = (sa.UniqueConstraint("item_no", "site_code"),)

    id: Mapped[int] = id_column()
    item_no: Mapped[str] = mapped_column(sa.String(60))
    site_code: Mapped[str] = mapped_column(sa.String(20))
    on_hand: Mapped[Decimal] = mapped_column(Qty)
    allocated: Mapped[Decimal] = mapped_column(Qty)
    as_of: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class PurchaseLine(Base):
    """A line of a purchase order. ``demand_ref`` is what it was bought for, if anything.

    ``shown_open_on``: the ERP still showed it as open on this day, and later that it had come
    before. None where the ERP told it in time.
    """

    __tablename__ = "purchase_line"
    __table_args__ = (
        sa.UniqueConstraint("po_no", "line_no"),
        sa.Index("ix_purchase_line_item", "item_no", "status"),
        sa.Index("ix_purchase_line_demand", "demand_ref"),
    )

    id: Mapped[int] = id_column()
    po_no: Mapped[str] = mapped_column(sa.String(40))
    line_no: Mapped[int]
    supplier_no: Mapped[str] = mapped_column(sa.String(40), index=True)
    supplier_name: Mapped[str] = mapped_column(sa.String(200))
    site_code: Mapped[str] = mapped_column(sa.String(20))
    item_no: Mapped[str] = mapped_column(sa.String(60))
    qty: Mapped[Decimal] = mapped_column(Qty)
    received_qty: Mapped[Decimal] = mapped_column(Qty, default=Decimal(0))
    ordered_on: Mapped[dt.date]
    requested_on: Mapped[dt.date]
    first_confirmed_on: Mapped[dt.date | None]
    confirmed_on: Mapped[dt.date | None]
    received_on: Mapped[dt.date | None]
    shown_open_on: Mapped[dt.date | None]
    status: Mapped[str] = mapped_column(sa.String(12))
    demand_ref: Mapped[str] = mapped_column(sa.String(60), default="")

    @property
    def due_on(self) -> dt.date:
        """The supplier's word, or our wish while he has given none."""
        return self.confirmed_on or self.requested_on


WAITING_WORK = ("planned", "released")  # these have not taken their components
OPEN_WORK = (*WAITING_WORK, "running")


class WorkOrder(Base):
    """A work order. ``demand_ref`` is ``<erp order no>/<line>`` or the parent work order.

    ``shown_open_on`` as ``PurchaseLine`` has it.
    """

    __tablename__ = "work_order"
    __table_args__ = (
        sa.Index("ix_work_order_demand", "demand_ref"),
        sa.Index("ix_work_order_item", "item_no", "status"),
    )

    id: Mapped[int] = id_column()
    no: Mapped[str] = mapped_column(sa.String(40), unique=True)
    item_no: Mapped[str] = mapped_column(sa.String(60))
    site_code: Mapped[str] = mapped_column(sa.String(20))
    qty: Mapped[Decimal] = mapped_column(Qty)
    completed_qty: Mapped[Decimal] = mapped_column(Qty, default=Decimal(0))
    scrapped_qty: Mapped[Decimal] = mapped_column(Qty, default=Decimal(0))
    status: Mapped[str] = mapped_column(sa.String(12))
    planned_start_on: Mapped[dt.date]
    planned_end_on: Mapped[dt.date]
    first_planned_end_on: Mapped[dt.date]
    actual_start_on: Mapped[dt.date | None]
    actual_end_on: Mapped[dt.date | None]
    shown_open_on: Mapped[dt.date | None]
    demand_ref: Mapped[str] = mapped_column(sa.String(60), default="")

    operations: Mapped[list[Operation]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="Operation.step_no"
    )


NOT_DONE = sa.text("status <> 'done'")  # an index that finished operations do not swell


class Operation(Base):
    """A step of a work order; ``qty_done`` pieces have passed it."""

    __tablename__ = "operation"
    __table_args__ = (
        sa.UniqueConstraint("work_order_id", "step_no"),
        sa.Index(
            "ix_operation_open", "work_center", sqlite_where=NOT_DONE, postgresql_where=NOT_DONE
        ),
    )

    id: Mapped[int] = id_column()
    work_order_id: Mapped[int] = mapped_column(sa.ForeignKey("work_order.id"))
    step_no: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(80))
    work_center: Mapped[str] = mapped_column(sa.String(40))
    station: Mapped[str] = mapped_column(sa.String(20))
    status: Mapped[str] = mapped_column(sa.String(12))
    qty_done: Mapped[Decimal] = mapped_column(Qty, default=Decimal(0))
    planned_start_on: Mapped[dt.date]
    planned_end_on: Mapped[dt.date]
    done_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Shipment(Base):
    """A delivery that left. ``received_at`` is the customer's own confirmation on the portal."""

    __tablename__ = "shipment"

    id: Mapped[int] = id_column()
    no: Mapped[str] = mapped_column(sa.String(40), unique=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), index=True)
    shipped_on: Mapped[dt.date]
    delivered_on: Mapped[dt.date | None]
    carrier: Mapped[str] = mapped_column(sa.String(80), default="")
    tracking_no: Mapped[str] = mapped_column(sa.String(80), default="")
    received_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    received_by: Mapped[str] = mapped_column(sa.String(120), default="")

    lines: Mapped[list[ShipmentLine]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="ShipmentLine.id"
    )


class ShipmentLine(Base):
    """How many pieces of an order line are in the shipment."""

    __tablename__ = "shipment_line"
    __table_args__ = (
        sa.UniqueConstraint("shipment_id", "order_line_id"),
        sa.Index("ix_shipment_line_line", "order_line_id"),
    )

    id: Mapped[int] = id_column()
    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"))
    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_line.id"))
    qty: Mapped[Decimal] = mapped_column(Qty)


class Invoice(Base):
    """The ERP's invoice and what of it is still open."""

    __tablename__ = "invoice"

    id: Mapped[int] = id_column()
    no: Mapped[str] = mapped_column(sa.String(40), unique=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("order.id"), index=True)
    shipment_no: Mapped[str] = mapped_column(sa.String(40), default="")
    invoiced_on: Mapped[dt.date]
    due_on: Mapped[dt.date]
    currency: Mapped[str] = mapped_column(sa.String(3))
    total: Mapped[Decimal] = mapped_column(Amount)
    open_amount: Mapped[Decimal] = mapped_column(Amount)
