"""Request keys: the same form or API call sent twice is answered once.

The key, the digest of the request and the answer are written in the act's own transaction, so
a failed act forgets its key.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from b2bcrm.kernel.columns import UtcDateTime
from b2bcrm.kernel.database import Base
from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.words import Message


class RequestKey(Base):
    """One answered request. ``scope`` is the user or token, so keys of others never meet."""

    __tablename__ = "request_key"

    scope: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64))
    answer: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


def digest_of(*parts: bytes) -> str:
    """SHA-256 over the parts, each with its length."""
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(len(part).to_bytes(8, "big") + part)
    return hasher.hexdigest()


def answered(session: Session, scope: str, key: str, digest: str) -> dict[str, Any] | None:
    """The stored answer of this key, None if it is new; Refused if the request differs."""
    row = session.get(RequestKey, (scope, key))
    if row is None:
        return None
    if row.digest != digest:
        raise Refused(
            Message("This request key was used for a different request."), code="key_reused"
        )
    return row.answer


def remember(
    session: Session,
    scope: str,
    key: str,
    digest: str,
    *,
    answer: dict[str, Any],
    at: dt.datetime,
) -> None:
    """Store the answer, to be committed with the act."""
    session.add(RequestKey(scope=scope, key=key, digest=digest, answer=answer, at=at))
