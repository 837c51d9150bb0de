"""Human numbers: SO-26-10482, Q-26-2217 rev C, CS-26-0734, and revision letters.

A counter row is taken inside the caller's transaction, so a number is used once and a rolled
back act leaves no gap.
"""

from __future__ import annotations

import string

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from b2bcrm.kernel.database import Base

WIDTHS = {"SO": 5, "Q": 4, "CS": 4, "IN": 4}


class NumberCounter(Base):
    """The last number given out per series and year."""

    __tablename__ = "number_counter"

    series: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)


def next_number(session: Session, series: str, year: int, mark: str = "") -> str:
    """The next number of ``series`` (SO, Q, CS, IN) in a four-digit ``year``.

    ``mark`` E counts on its own (SO-26-E0001): orders typed in the ERP, whose numbers must not
    meet those that the ERP may still carry for us.
    """
    key = series + mark
    row = session.get(NumberCounter, (key, year), with_for_update=True)
    if row is None:
        row = NumberCounter(series=key, year=year, last=0)
        session.add(row)
    row.last += 1
    return f"{series}-{year % 100:02d}-{mark}{row.last:0{WIDTHS[series] - len(mark)}d}"


def revision_letter(index: int) -> str:
    """0 is A, 25 is Z, 26 is AA: the letter of a quote's revision."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = string.ascii_uppercase[rest] + letters
    return letters
