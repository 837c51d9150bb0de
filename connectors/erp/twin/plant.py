"""The state that orders share: stock, customers' credit, numbers, the list of coming events.

Chains (one order and its supply) come from ``fetch`` when they are not in memory: the store in a
running twin, nothing while history is made. All changes carry ``clock``, the business instant
that is being lived through.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from decimal import Decimal

from b2bcrm.ports.erp import Entity
from connectors.erp.twin.calendars import WorkDays, instant, local_day
from connectors.erp.twin.company import Body, Firm
from connectors.erp.twin.documents import Chain, Doc
from connectors.erp.twin.parts import SITE_COMPANY, Part, Use

Event = tuple[str, int, str, str, str]  # due_at, id, root, kind, ref
FIRST_NUMBERS = {"order": 418000, "work": 72000, "buy": 26300, "shipment": 510000,
                 "invoice": 900000, "event": 0}  # fmt: skip
_NUMBER = {"order": "{:08d}", "work": "WO-{}", "buy": "PO-{}", "shipment": "DN-{}",
           "invoice": "IV-{}"}  # fmt: skip


class Plant:
    """See the module. ``worse_day`` is when the suppliers named in ``parts`` change.

    From ``change_day`` on, what is made has the components of the engineering change.
    """

    def __init__(
        self,
        firm: Firm,
        fetch: Callable[[str], Chain | None],
        worse_day: str,
        change_day: str,
    ) -> None:
        self.firm = firm
        self.worse_day = worse_day
        self.change_day = change_day
        self.clock = ""
        self.day = ""
        self.chains: dict[str, Chain] = {}
        self.stock: dict[tuple[str, str], Doc] = {}
        self.customers: dict[str, Doc] = {}
        self.numbers = dict(FIRST_NUMBERS)
        self.coming: list[Event] = []  # a heap
        self.wanted: dict[str, Part] = {}  # stock parts under their reorder level
        self._fetch = fetch

    def at(self, moment: str) -> None:
        """Live through ``moment``; it never goes back."""
        self.clock = moment
        self.day = local_day(moment)

    def chain(self, root: str) -> Chain:
        """The documents of an order; KeyError if there is none."""
        found = self.chains.get(root)
        if found is None:
            found = self._fetch(root)
            if found is None:
                raise KeyError(root)
            self.chains[root] = found
        return found

    def number(self, kind: str) -> str:
        """The next number of a kind of document."""
        self.numbers[kind] += 1
        return _NUMBER[kind].format(self.numbers[kind])

    def schedule(self, day: str, clock: str, root: str, kind: str, ref: str = "") -> None:
        """Something will happen; never in the past of what is lived through now."""
        self.numbers["event"] += 1
        due = max(instant(day, clock), self.clock)
        heapq.heappush(self.coming, (due, self.numbers["event"], root, kind, ref))

    def make(
        self, entity: Entity, erp_id: str, site: str, chain: Chain, body: Body, *, truth: Body
    ) -> Doc:
        """A new document of a chain, visible from now on."""
        doc = Doc(entity, erp_id, SITE_COMPANY[site], body, truth)
        doc.touch(self.clock)
        return chain.add(doc)

    def days(self, site: str) -> WorkDays:
        """Working days of a site."""
        return self.firm.days(site)

    def uses(self, part: Part, day: str) -> list[Use]:
        """What a part takes when it is begun on a day."""
        over = "before" if day >= self.change_day else "after"
        return [use for use in part.uses if use.when != over and not use.stands_in_for]

    # ------------------------------------------------------------------------------------ stock
    def level(self, part: Part) -> Doc:
        """The stock row of a part at its site."""
        return self.stock[part.no, part.site]

    def free(self, part: Part) -> int:
        """Pieces that nobody has pegged."""
        body = self.level(part).body
        found: int = body["on_hand"] - body["allocated"]
        return found

    def take(self, part: Part, qty: int) -> bool:
        """Peg ``qty`` of the free stock; False, and nothing pegged, if there is not enough."""
        if self.free(part) < qty:
            return False
        self.move(part, 0, qty)
        self.look(part)
        return True

    def move(self, part: Part, on_hand: int, allocated: int) -> None:
        """Change a stock row by both amounts."""
        level = self.level(part)
        level.body["on_hand"] += on_hand
        level.body["allocated"] += allocated
        level.body["as_of"] = self.clock
        level.touch(self.clock)

    def look(self, part: Part) -> None:
        """Note a stock part whose free and coming pieces fell under its reorder level."""
        if part.stocked and self.free(part) + self.level(part).truth["coming"] < part.level:
            self.wanted[part.no] = part

    # ----------------------------------------------------------------------------------- credit
    def owe(self, customer: str, used: Decimal, overdue: Decimal = Decimal(0)) -> None:
        """Change what a customer uses of his credit, and what of it is overdue."""
        doc = self.customers[customer]
        doc.body["credit_used"] = str(Decimal(doc.body["credit_used"]) + used)
        doc.body["overdue_amount"] = str(Decimal(doc.body["overdue_amount"]) + overdue)
        doc.touch(self.clock)
