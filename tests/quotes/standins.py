"""A frozen stand-in for the promise port, and quotes ready to use."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.promise import Answer, AskLine, PromiseMoved
from b2bcrm.quotes import actions, queries
from b2bcrm.quotes.models import Quote
from tests.factories import make_account, make_item, make_price, make_site

D = Decimal
READY = dt.date(2026, 12, 10)


@dataclass
class Dates:
    """Everything is ready on ``ready_on``, in any quantity; remembers what was asked of it."""

    ready_on: dt.date | None = READY
    holds: dict[str, dt.date] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)

    def _answers(self, lines: list[AskLine], on: dt.date | None = None) -> tuple[Answer, ...]:
        reason = Message("stock")
        return tuple(Answer(ln.ref, on or self.ready_on, D(0), reason) for ln in lines)

    def ask(self, lines, mode):
        return self._answers(lines)

    def hold(self, ref, lines, until, *, at_worst):
        answers = self._answers(lines)
        if any(a.full_on is None or a.full_on > at_worst[a.ref] for a in answers):
            raise PromiseMoved(answers)
        self.holds[ref] = self.ready_on
        self.log.append(("hold", ref))
        return answers

    def release(self, ref):
        self.holds.pop(ref, None)
        self.log.append(("release", ref))

    def convert(self, quote_ref, order_ref, lines):
        self.log.append(("convert", quote_ref))
        return self._answers(lines, self.holds.pop(quote_ref, None))

    def record(self, order_id, *, kind, reason):
        self.log.append(("record", kind))

    def why(self, ref):
        return ()


def make_draft(work: Work, promises: Dates, *, account=None, lines: int = 1, **facts) -> Quote:
    """A draft of ``lines`` lines: ten pieces each of an item that costs 20 EUR (cost 400 TWD)."""
    make_site(work)
    account = account or make_account(work)
    quote = actions.new_quote(work, account_id=account.id, promises=promises)
    for _ in range(lines):
        item = make_item(work)
        make_price(work, item)
        make_price(work, item, min_qty=D(50), unit_price=D(18))
        actions.add_line(work, quote.id, part=item.no, qty=D(10), promises=promises)
    for name, value in facts.items():
        setattr(quote, name, value)
    work.session.flush()
    return quote


def make_sent(work: Work, promises: Dates, **facts) -> Quote:
    """The same, sent."""
    return actions.send(work, make_draft(work, promises, **facts).id, promises=promises)


def account_of(office, quote):
    with office.open() as work:
        return queries.facts_of(work, queries.by_id(work, quote.id)).account


def reload(office, quote):
    with office.open() as work:
        return queries.by_id(work, quote.id)
