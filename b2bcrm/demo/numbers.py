"""Numbers of quotes, inquiries and cases in order of time; told ones have the pictures' numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from b2bcrm.demo.deals import Deal
from b2bcrm.demo.past import STORY_QUOTE
from b2bcrm.demo.scene import local_day
from b2bcrm.kernel.numbering import WIDTHS, NumberCounter
from b2bcrm.kernel.work import Work


class Series:
    """Gives out numbers of one series, year by year, around those that are reserved."""

    def __init__(
        self, mark: str, *, reserved: Collection[int] = (), first: dict[int, int] | None = None
    ) -> None:
        self.mark = mark
        self._reserved = frozenset(reserved)
        self._next = dict(first or {})
        self.last: dict[int, int] = {}

    def take(self, year: int, fixed: int | None = None) -> str:
        """The next number of the year, or the fixed one."""
        n = fixed
        if n is None:
            n = self._next.get(year, 1)
            while n in self._reserved:
                n += 1
            self._next[year] = n + 1
        self.last[year] = max(self.last.get(year, 0), n)
        return f"{self.mark}-{year % 100:02d}-{n:0{WIDTHS[self.mark]}d}"

    def keep(self, work: Work) -> None:
        """Let the product go on after the last numbers."""
        for year, last in self.last.items():
            work.session.add(NumberCounter(series=self.mark, year=year, last=last))


def number_deals(deals: Sequence[Deal], quotes: Series, inquiries: Series) -> None:
    """Give every deal its number and that of its inquiry, oldest first."""
    for deal in sorted(deals, key=lambda d: d.begun[0]):
        deal.no = quotes.take(local_day(deal.begun[0]).year, deal.fixed_no)
    asked = [deal for deal in deals if deal.asked is not None]
    for deal in sorted(asked, key=lambda d: d.asked.received_at if d.asked else d.begun[0]):
        if deal.asked is not None:
            deal.inquiry_no = inquiries.take(local_day(deal.asked.received_at).year)


def quote_series(deals: Sequence[Deal]) -> Series:
    """The quotes' series, placed so that the numbers around the told ones fit their time."""
    told = {deal.fixed_no for deal in deals if deal.fixed_no is not None}
    story = next((deal for deal in deals if deal.fixed_no == STORY_QUOTE), None)
    if story is None:
        return Series("Q", reserved=told)
    year = local_day(story.begun[0]).year
    before = sum(
        1
        for deal in deals
        if local_day(deal.begun[0]).year == year and deal.begun[0] < story.begun[0]
    )
    return Series("Q", reserved=told, first={year: max(1, STORY_QUOTE - before)})
