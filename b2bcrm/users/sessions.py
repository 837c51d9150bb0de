"""Sessions and API tokens in the database: what ``web.auth`` asks on every request."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from b2bcrm.kernel.actor import Actor
from b2bcrm.kernel.work import Work
from b2bcrm.users.models import ApiToken, User, UserSession
from b2bcrm.users.passwords import digest
from b2bcrm.users.queries import ACCOUNT
from b2bcrm.web.auth import SignedIn

IDLE = dt.timedelta(hours=12)
LONGEST = dt.timedelta(days=30)

# Built once: it runs before every page, and building it anew costs more than running it.
_FIND = (
    sa.select(
        UserSession.id,
        UserSession.last_seen_at,
        UserSession.user_id,
        User.name,
        User.role,
        User.account_id,
        User.locale,
        User.theme,
        User.title,
        ACCOUNT.c.name.label("account_name"),
    )
    .join(User, User.id == UserSession.user_id)
    .outerjoin(ACCOUNT, ACCOUNT.c.id == User.account_id)
    .where(
        UserSession.digest == sa.bindparam("digest"),
        UserSession.ended_at.is_(None),
        UserSession.last_seen_at >= sa.bindparam("seen_since"),
        UserSession.created_at >= sa.bindparam("made_since"),
        User.active,
    )
)


class DatabaseSessions:
    """Implements ``web.auth.SessionStore`` over the tables of this package."""

    def find_session(self, work: Work, token: str) -> SignedIn | None:
        """The session of this secret; None if unknown, ended, idle or of a blocked user."""
        values = {
            "digest": digest(token),
            "seen_since": work.tick - IDLE,
            "made_since": work.tick - LONGEST,
        }
        found = work.rows(_FIND, values)
        if not found:
            return None
        row = found[0]
        return SignedIn(
            actor=Actor(
                name=row.name,
                role=row.role,
                user_id=row.user_id,
                account_id=row.account_id,
                locale=row.locale,
            ),
            session_id=row.id,
            last_seen_at=row.last_seen_at,
            theme=row.theme,
            title=row.title,
            account_name=row.account_name or "",
        )

    def find_api_token(self, work: Work, token: str) -> SignedIn | None:
        """The token of this secret; None if unknown or revoked."""
        query = (
            sa.select(ApiToken, User)
            .join(User, User.id == ApiToken.user_id)
            .where(ApiToken.digest == digest(token), ApiToken.revoked_at.is_(None), User.active)
        )
        row = work.session.execute(query).first()
        if row is None:
            return None
        found, user = row
        return SignedIn(
            actor=user.actor(),
            session_id=0,
            last_seen_at=work.tick,
            scopes=frozenset(found.scopes),
            token_id=found.id,
        )

    def touch(self, work: Work, session_id: int) -> None:
        """Note that the session was used now."""
        work.session.execute(
            sa.update(UserSession)
            .where(UserSession.id == session_id)
            .values(last_seen_at=work.tick)
        )
