"""Tables of logins. Secrets are never stored: only their digests, or argon2 hashes of passwords.

Instants are machine time (``work.tick``).
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.columns import BigId, UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column


class User(Base):
    """One person who may sign in. Exactly the portal's people belong to an account."""

    __tablename__ = "user"
    __table_args__ = (
        sa.CheckConstraint(
            "(role IN ('buyer', 'buyer_admin') AND account_id IS NOT NULL)"
            " OR (role NOT IN ('buyer', 'buyer_admin') AND account_id IS NULL)",
            name="portal_has_account",
        ),
        sa.CheckConstraint("email = lower(email)", name="email_lower"),
    )

    id: Mapped[int] = id_column()
    email: Mapped[str] = mapped_column(sa.String(200), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    role: Mapped[Role] = mapped_column(enum_column(Role))
    account_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("account.id"), index=True)
    title: Mapped[str] = mapped_column(sa.String(120), default="")
    phone: Mapped[str] = mapped_column(sa.String(40), default="")
    locale: Mapped[str] = mapped_column(sa.String(10), default="en")
    theme: Mapped[str] = mapped_column(sa.String(10), default="auto")
    active: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    reset_asked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as SQLAlchemy declares it

    def actor(self) -> Actor:
        """This person as the one who acts."""
        return Actor(
            name=self.name,
            role=self.role,
            user_id=self.id,
            account_id=self.account_id,
            locale=self.locale,
        )


class UserSession(Base):
    """One signed-in browser. ``ended_at`` is set when it was signed out or revoked."""

    __tablename__ = "user_session"

    id: Mapped[int] = id_column()
    user_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("user.id"), index=True)
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    address: Mapped[str] = mapped_column(sa.String(45), default="")
    browser: Mapped[str] = mapped_column(sa.String(200), default="")


class ResetToken(Base):
    """A password reset link: used once, for one hour."""

    __tablename__ = "reset_token"

    id: Mapped[int] = id_column()
    user_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("user.id"), index=True)
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class ApiToken(Base):
    """A program's key with a few scopes, acting as the user who made it."""

    __tablename__ = "api_token"

    id: Mapped[int] = id_column()
    user_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("user.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(sa.JSON)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class SignInAttempt(Base):
    """One try to sign in, kept in the database so that the lock-out holds over all processes."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (
        sa.Index("ix_sign_in_attempt_email", "email", "at"),
        sa.Index("ix_sign_in_attempt_address", "address", "at"),
    )

    id: Mapped[int] = id_column()
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    email: Mapped[str] = mapped_column(sa.String(200))
    address: Mapped[str] = mapped_column(sa.String(45))
    ok: Mapped[bool] = mapped_column(default=False)
