"""How often each supplier kept his word in the last year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from b2bcrm.fulfillment.models import PurchaseLine
from b2bcrm.fulfillment.planning.sums import ALL_SITES, SheetKey, Sheets
from b2bcrm.kernel.organization import Site


def kept_words() -> tuple[sa.Select[Any], dict[str, sa.ColumnElement[Any]]]:
    """Lines that came since the day ``since``, by site and supplier; and the columns to ask for.

    ``kept`` of the lines that ``came`` did so by the day that the supplier confirmed first, or that
    we asked for.
    """
    word = sa.func.coalesce(PurchaseLine.first_confirmed_on, PurchaseLine.requested_on)
    columns: dict[str, sa.ColumnElement[Any]] = {
        "site": sa.func.coalesce(Site.id, ALL_SITES),
        "supplier": PurchaseLine.supplier_no.expression,
        "kept": sa.func.count(sa.case((PurchaseLine.received_on <= word, 1))),
        "came": sa.func.count(),
    }
    query = (
        sa.select()
        .select_from(PurchaseLine)
        .outerjoin(Site, Site.code == PurchaseLine.site_code)
        .where(
            PurchaseLine.received_on >= sa.bindparam("since"),
            PurchaseLine.received_qty >= PurchaseLine.qty,
        )
        .group_by(Site.id, PurchaseLine.supplier_no)
    )
    return query, columns


def supplier_sheets(rows: Iterable[tuple[int, str, int, int]]) -> Sheets:
    """Of site, supplier, kept and came: of each supplier, at each site and at all."""
    sums: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for site, supplier, kept, came in rows:
        for scope in {site, ALL_SITES}:
            cell = sums[scope][supplier]
            cell[0] += kept
            cell[1] += came
    return Sheets({SheetKey("suppliers", site): {"of": found} for site, found in sums.items()})
