"""How often each supplier kept his word in the last year."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa

from b2bcrm.fulfillment.models import PurchaseLine
from b2bcrm.fulfillment.planning.figures import Period
from b2bcrm.fulfillment.planning.sums import ALL_SITES, SheetKey, Sheets
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.work import Work


def sum_suppliers(work: Work) -> Sheets:
    """Of each supplier, at each site and at all: lines that came by his word, and all that came.

    His word is the day that he confirmed first, or the one that we asked for.
    """
    word = sa.func.coalesce(PurchaseLine.first_confirmed_on, PurchaseLine.requested_on)
    query = (
        sa.select(
            sa.func.coalesce(Site.id, ALL_SITES),
            PurchaseLine.supplier_no,
            sa.func.count(sa.case((PurchaseLine.received_on <= word, 1))),
            sa.func.count(),
        )
        .outerjoin(Site, Site.code == PurchaseLine.site_code)
        .where(
            PurchaseLine.received_on >= Period.YEAR.since(work.today),
            PurchaseLine.received_qty >= PurchaseLine.qty,
        )
        .group_by(Site.id, PurchaseLine.supplier_no)
    )
    sums: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for site, supplier, kept, came in work.rows(query):
        for scope in {site, ALL_SITES}:
            cell = sums[scope][supplier]
            cell[0] += kept
            cell[1] += came
    return Sheets({SheetKey("suppliers", site): {"of": found} for site, found in sums.items()})
