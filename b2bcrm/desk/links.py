"""Where a record's page is: search hits, timelines and tables all lead to the same place."""

from __future__ import annotations

from urllib.parse import urlencode


def order_url(order_no: str) -> str:
    """The staff page of an order."""
    return f"/orders/{order_no}"


def quote_url(quote_no: str) -> str:
    """The staff page of a quote's current revision."""
    return f"/quotes/{quote_no}"


def inquiry_url(inquiry_no: str) -> str:
    """The staff page of an inquiry."""
    return f"/inquiries/{inquiry_no}"


def case_url(case_no: str) -> str:
    """The staff page of a case."""
    return f"/service/{case_no}"


def account_url(account_id: int) -> str:
    """The staff page of an account."""
    return f"/accounts/{account_id}"


def item_url(item_no: str) -> str:
    """The staff page of an item."""
    return f"/items/{item_no}"


def impact_url(kind: str, no: str) -> str:
    """What rests on a ``purchase_order``, ``work_order``, ``work_center`` or ``item``."""
    return "/fulfillment/impact?" + urlencode({"kind": kind, "no": no})
