"""What the contract suite found out about a connection, kept: writes go on only after it.

A certificate holds for one connection and one text of its profile. Not here: the checks
(connectors), the report's file (documents).
"""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from b2bcrm.kernel.columns import UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column
from b2bcrm.kernel.work import Work


class CertificateResult(enum.StrEnum):
    """WRITES: all checks, orders entered among them. READS: nothing was entered. FAILED: not."""

    WRITES = "writes"
    READS = "reads"
    FAILED = "failed"


class Certificate(Base):
    """One run of the contract suite."""

    __tablename__ = "erp_certificate"
    __table_args__ = (sa.Index("ix_erp_certificate_connection", "connection_code", "id"),)

    id: Mapped[int] = id_column()
    connection_code: Mapped[str] = mapped_column(sa.String(20))
    profile: Mapped[str] = mapped_column(sa.String(80))
    profile_digest: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    result: Mapped[CertificateResult] = mapped_column(enum_column(CertificateResult))
    passed: Mapped[int]
    failed: Mapped[int]
    skipped: Mapped[int]
    not_run: Mapped[int]
    report_file: Mapped[str] = mapped_column(sa.String(400))


def record(work: Work, certificate: Certificate) -> None:
    """Keep the outcome of a run that ended now."""
    certificate.at = work.tick
    work.session.add(certificate)


def latest(session: Session, connection: str, profile_digest: str) -> Certificate | None:
    """The newest run over a connection with a profile of just this text."""
    query = (
        sa.select(Certificate)
        .where(Certificate.connection_code == connection)
        .where(Certificate.profile_digest == profile_digest)
        .order_by(Certificate.id.desc())
        .limit(1)
    )
    return session.scalar(query)


def certified(session: Session, connection: str, profile_digest: str) -> bool:
    """Whether writes may be switched on: the newest run entered orders and nothing failed.

    A changed profile has another digest and is not certified; a newer run that failed, or that
    entered nothing, takes the leave back.
    """
    found = latest(session, connection, profile_digest)
    return found is not None and found.result is CertificateResult.WRITES
