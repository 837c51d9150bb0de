"""Every SELECT on logins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.users.models import ApiToken, ResetToken, SignInAttempt, User, UserSession

ACCOUNT = sa.table("account", sa.column("id"), sa.column("name"))


def user_by_email(session: Session, email: str) -> User | None:
    """The active user with this address, whatever its letter case."""
    return session.scalar(sa.select(User).where(User.email == email.strip().lower(), User.active))


def user_by_id(session: Session, user_id: int) -> User:
    """The user; NotFound if there is none."""
    user = session.get(User, user_id)
    if user is None:
        raise not_found(Message("This person"))
    return user


def users_with_roles(session: Session, roles: Sequence[str]) -> Sequence[User]:
    """Active users with one of the roles, by name: for choosing an owner."""
    query = sa.select(User).where(User.active, User.role.in_(roles)).order_by(User.name)
    return session.scalars(query).all()


def account_name(session: Session, account_id: int | None) -> str:
    """The customer's name; empty for staff."""
    if account_id is None:
        return ""
    return session.scalar(sa.select(ACCOUNT.c.name).where(ACCOUNT.c.id == account_id)) or ""


def open_sessions(session: Session, user_id: int, since: dt.datetime) -> Sequence[UserSession]:
    """Sessions that are not ended and were seen after ``since``, last used first."""
    query = (
        sa.select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.ended_at.is_(None),
            UserSession.last_seen_at >= since,
        )
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
    )
    return session.scalars(query).all()


def api_tokens(session: Session, user_id: int) -> Sequence[ApiToken]:
    """The person's tokens that still work, newest first."""
    query = (
        sa.select(ApiToken)
        .where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id.desc())
    )
    return session.scalars(query).all()


def reset_token(session: Session, digest: str, since: dt.datetime) -> ResetToken | None:
    """The unused link with this digest that was made after ``since``."""
    query = sa.select(ResetToken).where(
        ResetToken.digest == digest, ResetToken.used_at.is_(None), ResetToken.created_at >= since
    )
    return session.scalar(query)


def failures(
    session: Session, since: dt.datetime, *, email: str = "", address: str = ""
) -> tuple[int, dt.datetime | None]:
    """Failed tries since ``since`` and the last success, and when the newest of them was."""
    mine = SignInAttempt.email == email if email else SignInAttempt.address == address
    if email:  # a success clears one's own slate, never that of an address
        success = session.scalar(
            sa.select(sa.func.max(SignInAttempt.id)).where(mine, SignInAttempt.ok)
        )
        mine = sa.and_(mine, SignInAttempt.id > (success or 0))
    query = sa.select(sa.func.count(), sa.func.max(SignInAttempt.id)).where(
        mine, SignInAttempt.at >= since, ~SignInAttempt.ok
    )
    count, newest = session.execute(query).one()
    if newest is None:
        return 0, None
    return count, session.scalar(sa.select(SignInAttempt.at).where(SignInAttempt.id == newest))
