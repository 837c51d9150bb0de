"""A counter of SQL statements, because pages promise how many they send."""

from __future__ import annotations

from tests.desk.conftest import statements

__all__ = ["statements"]
