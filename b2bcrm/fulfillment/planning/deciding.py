"""What a date waits for: a part that cannot be had a day earlier, or hours of one work centre.

It is tried, not read off the plan: placed backward from its day, everything in a plan is as late as
it may be, so nothing in it shows slack.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import Book, Ints, Names
from b2bcrm.fulfillment.planning.engine.ledger import FULL, MISSING, TOP, Ledger
from b2bcrm.fulfillment.planning.engine.placing import STOCK_FIRST, drop, place_unit

_NO_LIMIT = 10**11  # 1/1000 h; less than MOST, from which spread hours are counted down


def waits_for(
    book: Book, ledger: Ledger, names: Names, unit: int, centres: Sequence[str]
) -> tuple[str, str]:
    """Names of the part or of the work centre, of those given, that a placed unit waits for.

    Both are empty where it could be there earlier, or where no single centre is to blame. The
    unit, whose entries are the ledger's last ones, stands as before.
    """
    day = int(ledger.unit_day[unit])
    drop(book, ledger, unit)
    ledger.at[TOP] = ledger.unit_first[unit]  # so that there is room to put it back

    def fits(free: Ints) -> bool:
        return _fits(book, ledger, unit, day - 1, free)

    part, centre = "", ""
    if not fits(ledger.bucket_free):
        if not fits(np.full_like(ledger.bucket_free, _NO_LIMIT)):
            part = names.parts[ledger.at[MISSING]]
        else:
            codes = (book.bucket_centre == names.centres.index(code) for code in centres)
            roomy = (np.where(here, _NO_LIMIT, ledger.bucket_free) for here in codes)
            centre = next((c for c, free in zip(centres, roomy, strict=True) if fits(free)), "")
    place_unit(book, ledger, unit, day, STOCK_FIRST)
    return part, centre


def _fits(book: Book, ledger: Ledger, unit: int, day: int, free: Ints) -> bool:
    """Whether the unit could be there on the day with these hours; leaves no trace."""
    tried, top = ledger._replace(bucket_free=free.copy()), ledger.at[TOP]
    fits = place_unit(book, tried, unit, day, STOCK_FIRST)
    full = ledger.at[FULL] != 0
    if fits:
        drop(book, tried, unit)
    else:
        ledger.unit_count[unit], ledger.unit_day[unit] = 0, -1
    ledger.at[TOP], ledger.at[FULL] = top, 0
    return bool(fits) or full  # no room to tell: as if it could, so that nothing is told
