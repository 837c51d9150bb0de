"""Column types that keep what Python gave: exact decimals, aware instants, enums by value.

SQLite stores NUMERIC as a float and drops time zones; these types make both databases agree.
"""

from __future__ import annotations

import datetime as dt
import enum
import json
from decimal import Decimal
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from b2bcrm.kernel.words import Message

BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


class ScaledDecimal(sa.TypeDecorator[Decimal]):
    """A Decimal kept as an integer: value x 10^places. Too many places raise ValueError."""

    impl = sa.BigInteger
    cache_ok = True

    def __init__(self, places: int) -> None:
        super().__init__()
        self.places = places

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> int | None:
        """Decimal to scaled integer, refusing to round silently."""
        if value is None:
            return None
        scaled = Decimal(value).scaleb(self.places)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {self.places} decimal places")
        return int(scaled)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Scaled integer back to Decimal."""
        return None if value is None else Decimal(value).scaleb(-self.places)


class UtcDateTime(sa.TypeDecorator[dt.datetime]):
    """An aware instant in UTC; naive values are refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Aware to UTC; SQLite gets it without the zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        utc = value.astimezone(dt.UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(
        self, value: dt.datetime | None, dialect: Dialect
    ) -> dt.datetime | None:
        """Back to an aware UTC instant."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class MessageColumn(sa.TypeDecorator[Message]):
    """A Message kept as JSON, rendered for each reader."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Message | None, dialect: Dialect) -> Any:
        """Message to JSON."""
        return None if value is None else value.to_json()

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Back to a Message: from text, or from what PostgreSQL's driver has read already."""
        return _message


def _message(value: Any) -> Message | None:
    if isinstance(value, str):
        return _read(value)
    return None if value is None else Message.from_json(value)


@lru_cache(maxsize=8192)
def _read(text: str) -> Message:
    return Message.from_json(json.loads(text))


def enum_column(kind: type[enum.StrEnum]) -> sa.Enum:
    """An enum stored by its value; a value that is none of its members raises."""
    return sa.Enum(
        kind,
        values_callable=lambda e: [m.value for m in e],
        native_enum=False,
        length=24,
        name=kind.__name__.lower(),
    )


Amount = ScaledDecimal(4)
Price = ScaledDecimal(6)
Qty = ScaledDecimal(4)
Percent = ScaledDecimal(4)
Rate = ScaledDecimal(8)
