"""A counter of SQL statements, because pages promise how many they send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import sqlalchemy as sa

Counter = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def statements(engine: sa.Engine) -> Counter:
    """A block that collects what is sent, savepoints left out."""

    @contextmanager
    def count() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_connection, _cursor, statement, *_rest) -> None:
            if "SAVEPOINT" not in statement:
                seen.append(statement)

        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)

    return count
