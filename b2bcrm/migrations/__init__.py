"""The database's schema, step by step (Alembic), and what is done with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # SQLAlchemy takes half a second to load, and `up` asks only for `newest`
    import sqlalchemy as sa
    from sqlalchemy.engine import Engine

FOLDER = Path(__file__).parent


def _config(connection: sa.Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _changing(engine: Engine) -> Iterator[sa.Connection]:
    """One transaction. SQLite changes a table by making it anew, which its foreign keys would
    not let happen while rows name it: they rest meanwhile and are checked before the commit.
    """
    with engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            with connection.begin():
                yield connection
            return
        raw = connection.connection.driver_connection
        raw.execute("pragma foreign_keys=OFF")  # type: ignore[union-attr]
        try:
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("pragma foreign_key_check").all()
                if broken:
                    raise RuntimeError(f"rows would name what does not exist: {broken[:5]}")
        finally:
            raw.execute("pragma foreign_keys=ON")  # type: ignore[union-attr]


def newest() -> str:
    """The newest revision, read from the files' names: Alembic's import is slow."""
    names = (path.name for path in (FOLDER / "versions").glob("[0-9]*.py"))
    return max((name.split("_")[0] for name in names), default="0000")


def current(engine: Engine) -> str | None:
    """The revision this database stands at; None if it is empty."""
    import sqlalchemy as sa

    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        value: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return value


def upgrade(engine: Engine, revision: str = "head") -> bool:
    """Bring the schema up to ``revision``; False if it stood there already."""
    if revision == "head" and current(engine) == newest():
        return False
    from alembic import command

    with _changing(engine) as connection:
        command.upgrade(_config(connection), revision)
    return True


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to ``revision``."""
    from alembic import command

    with _changing(engine) as connection:
        command.downgrade(_config(connection), revision)


def revise(engine: Engine, message: str) -> Path:
    """Write the next revision: what the models say and this database does not have yet."""
    from alembic import command

    number = f"{int(newest()) + 1:04d}"
    with engine.connect() as connection:
        command.revision(_config(connection), message, autogenerate=True, rev_id=number)
    return next((FOLDER / "versions").glob(f"{number}_*.py"))


def drift(engine: Engine) -> list[Any]:
    """What the models say and the database does not have: must be empty."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from b2bcrm.kernel.database import Base

    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))
