"""Where the next page of a list begins, as a text that says nothing to the caller."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any

from connectors.erp.twin.sales import TwinRefusal


def close_cursor(*values: object) -> str:
    """A cursor from what it has to remember."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def open_cursor(cursor: str) -> list[Any]:
    """Announced rows, watermark, instant and id of the last row. Refused: ``bad_cursor``."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        announced, watermark, updated_at, erp_id = values
        dt.datetime.fromisoformat(str(watermark))
        return [int(announced), str(watermark), str(updated_at), str(erp_id)]
    except (ValueError, TypeError):
        raise TwinRefusal("bad_cursor", "This page does not exist.", "cursor") from None
