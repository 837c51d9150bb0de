"""Customer companies and what belongs to them. ``Account`` is the root."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from b2bcrm.kernel.columns import Amount, BigId, UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column

LIGHTS = ("ok", "risk", "late")
"""Credit lights, best first."""


def credit_light(*, hold: bool, limit: Decimal, used: Decimal, overdue: Decimal) -> str:
    """ok, risk (80 % used or something overdue), or late (over the limit, or on hold)."""
    if hold or (limit and used > limit):
        return "late"
    return "risk" if (limit and used >= limit * Decimal("0.8")) or overdue > 0 else "ok"


def worst(*lights: str) -> str:
    """Of several credit lights the one that counts."""
    return max(lights, key=LIGHTS.index)


class Credit:
    """What an ERP says about a customer's credit, in his currency; ``credit_as_of`` its age."""

    credit_limit: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    credit_used: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    overdue_amount: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    credit_hold: Mapped[bool] = mapped_column(default=False)
    credit_as_of: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    def own_light(self) -> str:
        """ok, risk or late."""
        return credit_light(
            hold=self.credit_hold,
            limit=self.credit_limit,
            used=self.credit_used,
            overdue=self.overdue_amount,
        )


class Account(Credit, Base):
    """A customer or prospect. What it is in the ERPs stands in its rows of ``ErpCustomer``.

    ``erp_id`` and the credit figures are those of the main one, so that lists need no join;
    ``erp_id`` is empty until an ERP knows it. ``other_light`` is the worst light of the others.
    ``customer_class`` is A, B or C. ``active`` turns False when the ERP deletes the customer, or
    when another account takes its customers over. ``welcomes_early``: a promise may move to an
    earlier day unasked. ``changed_*`` are people's changes.
    """

    __tablename__ = "account"

    id: Mapped[int] = id_column()
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    erp_id: Mapped[str | None] = mapped_column(sa.String(40), index=True)
    name: Mapped[str] = mapped_column(sa.String(200), index=True)
    short_name: Mapped[str] = mapped_column(sa.String(80), default="")
    tax_id: Mapped[str] = mapped_column(sa.String(40), default="")
    country: Mapped[str] = mapped_column(sa.String(2), default="")
    city: Mapped[str] = mapped_column(sa.String(80), default="")
    address: Mapped[str] = mapped_column(sa.String(300), default="")
    language: Mapped[str] = mapped_column(sa.String(10), default="en")
    currency: Mapped[str] = mapped_column(sa.String(3))
    price_list: Mapped[str] = mapped_column(sa.String(20))
    payment_terms: Mapped[str] = mapped_column(sa.String(60), default="")
    incoterm: Mapped[str] = mapped_column(sa.String(3), default="EXW")
    incoterm_place: Mapped[str] = mapped_column(sa.String(80), default="")
    customer_class: Mapped[str] = mapped_column(sa.String(1), default="C")
    other_light: Mapped[str] = mapped_column(sa.String(4), default="ok")
    partial_delivery: Mapped[bool] = mapped_column(default=True)
    welcomes_early: Mapped[bool] = mapped_column(default=False)
    sales_rep: Mapped[str] = mapped_column(sa.String(120), default="")
    active: Mapped[bool] = mapped_column(default=True)
    # No foreign key: users refer to accounts, and no database can create a circle of tables.
    owner_id: Mapped[int | None] = mapped_column(BigId)
    changed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(sa.String(120), default="")
    version: Mapped[int] = mapped_column(default=1)

    ship_tos: Mapped[list[ShipTo]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="ShipTo.code"
    )
    contacts: Mapped[list[Contact]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="Contact.id"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form

    @property
    def full_address(self) -> str:
        """Street, city and country in one line, as papers show it."""
        return " ".join(filter(None, (self.address, self.city, self.country)))

    def credit_light(self) -> str:
        """The worst light of all its ERP customers."""
        return worst(self.own_light(), self.other_light)


class ErpCustomer(Credit, Base):
    """One customer of one ERP (``connection_code``), and whose it is. Numbers, never names.

    ``home_id`` is the account that its first pull made or found; another ``account_id`` means
    that a person has linked it, which can be undone. One per account is ``main``.
    """

    __tablename__ = "erp_customer"
    __table_args__ = (
        sa.UniqueConstraint("connection_code", "erp_id"),
        sa.Index("ix_erp_customer_account", "account_id"),
        sa.Index("ix_erp_customer_home", "home_id"),
    )

    id: Mapped[int] = id_column()
    connection_code: Mapped[str] = mapped_column(sa.String(20))
    erp_id: Mapped[str] = mapped_column(sa.String(40))
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    home_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    main: Mapped[bool]
    name: Mapped[str] = mapped_column(sa.String(200))
    currency: Mapped[str] = mapped_column(sa.String(3))
    payment_terms: Mapped[str] = mapped_column(sa.String(60), default="")
    active: Mapped[bool] = mapped_column(default=True)


class ShipTo(Base):
    """A receiving site, with the ERP customer it belongs to; the code is that customer's.

    ``receiving_days`` is seven 0/1 digits, Monday first.
    """

    __tablename__ = "ship_to"
    __table_args__ = (sa.UniqueConstraint("account_id", "erp_customer_id", "code"),)

    id: Mapped[int] = id_column()
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    erp_customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("erp_customer.id"))
    code: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(200))
    street: Mapped[str] = mapped_column(sa.String(200), default="")
    city: Mapped[str] = mapped_column(sa.String(80), default="")
    country: Mapped[str] = mapped_column(sa.String(2), default="")
    receiving_days: Mapped[str] = mapped_column(sa.String(7), default="1111100")
    transit_days: Mapped[int] = mapped_column(default=0)

    @property
    def full_address(self) -> str:
        """Name, street and city in one line, as papers show it."""
        return ", ".join(filter(None, (self.name, self.street, self.city)))


class Contact(Base):
    """A person at the customer; ``erp_customer_id`` says which of its ERP customers names him."""

    __tablename__ = "contact"

    id: Mapped[int] = id_column()
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), index=True)
    erp_customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("erp_customer.id"))
    name: Mapped[str] = mapped_column(sa.String(120))
    email: Mapped[str] = mapped_column(sa.String(200), default="", index=True)
    phone: Mapped[str] = mapped_column(sa.String(40), default="")
    role: Mapped[str] = mapped_column(sa.String(80), default="")
    language: Mapped[str] = mapped_column(sa.String(10), default="")
    from_erp: Mapped[bool] = mapped_column(default=False)


class CustomerPart(Base):
    """The customer's own number for one of our items."""

    __tablename__ = "customer_part"
    __table_args__ = (
        sa.UniqueConstraint("account_id", "item_id"),
        sa.Index("ix_customer_part_no", "account_id", "part_no"),
    )

    id: Mapped[int] = id_column()
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    part_no: Mapped[str] = mapped_column(sa.String(60))
    from_erp: Mapped[bool] = mapped_column(default=False)


class TouchKind(enum.StrEnum):
    """How we were in contact."""

    CALL = "call"
    MAIL = "mail"
    VISIT = "visit"
    PORTAL = "portal"
    NOTE = "note"


class Touch(Base):
    """One contact with the customer, tied to an order, quote or case where it concerned one."""

    __tablename__ = "touch"
    __table_args__ = (sa.Index("ix_touch_account", "account_id", "at"),)

    id: Mapped[int] = id_column()
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id"))
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("order.id"), index=True)
    quote_id: Mapped[int | None] = mapped_column(sa.ForeignKey("quote.id"))
    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("case.id"))
    kind: Mapped[TouchKind] = mapped_column(enum_column(TouchKind))
    inbound: Mapped[bool] = mapped_column(default=True)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    subject: Mapped[str] = mapped_column(sa.String(200))
    text: Mapped[str] = mapped_column(sa.Text, default="")
