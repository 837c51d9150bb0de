"""Marshmallow fields for what people type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from marshmallow import fields

LONGEST = 40  # characters; no number of ours is that long


class Number(fields.Decimal):
    """An exact decimal as people type it: ``1,200.5`` is one thousand two hundred and a half."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        text = value.replace(",", "").strip() if isinstance(value, str) else value
        if isinstance(text, str) and len(text) > LONGEST:
            raise self.make_error("invalid")
        return super()._deserialize(text, attr, data, **kwargs)
