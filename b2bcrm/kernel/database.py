"""The declarative base, the engine with each database's necessary settings, and the clock row.

Sessions are opened in ``work.py`` and nowhere else.
"""

from __future__ import annotations

from typing import cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from b2bcrm.kernel.columns import BigId

STATEMENTS = 512
"""How many statements of one kind a process keeps: to build one costs more than to run it."""

NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Root of every mapped class."""

    metadata = sa.MetaData(naming_convention=NAMES)


@event.listens_for(Base, "init", propagate=True)
def _fill_defaults(target: Base, _args: tuple[object, ...], values: dict[str, object]) -> None:
    """Give a new object its plain column defaults at once, so that rules work before a flush."""
    mapper = sa.inspect(type(target))
    for attribute in mapper.column_attrs:
        default = getattr(attribute.columns[0], "default", None)
        if attribute.key not in values and default is not None:
            if default.is_scalar:
                values[attribute.key] = default.arg
            elif default.is_callable and default.arg.__name__ in {"list", "dict"}:
                values[attribute.key] = default.arg(None)


def id_column() -> Mapped[int]:
    """The surrogate key that every table has."""
    return mapped_column(BigId, primary_key=True, autoincrement=True)


class BusinessClock(Base):
    """One row: seconds that business time runs ahead of the machine. Absent in production."""

    __tablename__ = "business_clock"

    id: Mapped[int] = id_column()
    ahead_s: Mapped[int] = mapped_column(sa.BigInteger, default=0)


class Marker(Base):
    """Facts about the database itself: ``kind`` = demo, the seed and size it was made with."""

    __tablename__ = "marker"

    key: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    value: Mapped[str] = mapped_column(sa.String(200))


def make_engine(url: str) -> Engine:
    """An engine for ``url`` (``sqlite:///...`` or ``postgresql://...``).

    SQLite: WAL, foreign keys, and BEGIN IMMEDIATE for writers, because its default mode loses
    updates when two processes read and then write.
    """
    if not url.startswith("sqlite"):
        return sa.create_engine(url, insertmanyvalues_page_size=100, pool_pre_ping=True)
    engine = sa.create_engine(url, insertmanyvalues_page_size=100)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "busy_timeout=10000",
        ):
            connection.execute(f"pragma {pragma}")  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        read_only = connection.get_execution_options().get("ro")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def insert_for(session: Session, model: type[Base]) -> postgresql.Insert:
    """An INSERT of ``model`` that knows ON CONFLICT, in the dialect of the session's database.

    Both databases share the form; the SQLite class has the same methods.
    """
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(model)
    return cast(postgresql.Insert, sqlite.insert(model))
