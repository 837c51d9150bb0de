"""The ERPs we talk to: how each is reached, what is allowed, and how much it bears."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import MessageColumn, UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column
from b2bcrm.kernel.words import Message


class Writes(enum.StrEnum):
    """What may be sent: nothing, only what a dry run shows, or orders."""

    OFF = "off"
    DRY_RUN = "dry-run"
    ON = "on"


class ErpConnection(Base):
    """One ERP (one company of it) and the state of its breaker.

    ``secret`` is a reference, never the secret itself: ``env:NAME``, ``file:PATH``, or
    ``sealed:`` with the encrypted text. ``quiet`` is a list of hours ({"days": "12345", "from":
    "22:00", "to": "02:00", "allow": "reads" or "none"}) in the home zone. ``concurrency`` and
    ``per_minute`` are the profile's where they are None.
    """

    __tablename__ = "erp_connection"

    id: Mapped[int] = id_column()
    code: Mapped[str] = mapped_column(sa.String(20), unique=True)
    product: Mapped[str] = mapped_column(sa.String(80), default="")
    profile: Mapped[str] = mapped_column(sa.String(300), default="")
    profile_digest: Mapped[str] = mapped_column(sa.String(80), default="")
    wsdl_digest: Mapped[str] = mapped_column(sa.String(80), default="")
    base_url: Mapped[str] = mapped_column(sa.String(300), default="")
    company: Mapped[str] = mapped_column(sa.String(20), default="")
    user: Mapped[str] = mapped_column(sa.String(80), default="")
    secret: Mapped[str] = mapped_column(sa.String(600), default="")
    params: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    active: Mapped[bool] = mapped_column(default=True)
    writes: Mapped[Writes] = mapped_column(enum_column(Writes), default=Writes.OFF)
    notices: Mapped[bool] = mapped_column(default=False)
    notices_off_since: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    go_live_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    quiet: Mapped[list[dict[str, str]]] = mapped_column(sa.JSON, default=list)
    concurrency: Mapped[int | None]
    per_minute: Mapped[int | None]
    failures: Mapped[int] = mapped_column(default=0)
    open_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    probe_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_ok_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_error_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[Message | None] = mapped_column(MessageColumn)

    @property
    def erp_account(self) -> str:
        """The login whose limits are shared: connections of one ERP user count together."""
        text = f"{self.base_url}|{self.user}" if self.base_url else self.code
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class GateState(Base):
    """Calls of an ERP account in its running minute, and until when the ERP wants rest."""

    __tablename__ = "erp_gate"

    account: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    minute: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    calls: Mapped[int] = mapped_column(default=0)
    rest_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class GatePlace(Base):
    """A call that runs, or (``waiting``) a write that wants to: it ends with its lease."""

    __tablename__ = "erp_gate_place"
    __table_args__ = (sa.Index("ix_erp_gate_place_account", "account", "leased_until"),)

    id: Mapped[int] = id_column()
    account: Mapped[str] = mapped_column(sa.String(32))
    write: Mapped[bool]
    waiting: Mapped[bool] = mapped_column(default=False)
    leased_until: Mapped[dt.datetime] = mapped_column(UtcDateTime)
