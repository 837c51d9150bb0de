"""The people of a storm: they sell, change their minds, and look after what is shown as stuck.

``Desk`` keeps its own book of what was agreed, so the proof does not take the CRM's word for it.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm.exc import StaleDataError

from b2bcrm.catalog.models import Item, PriceBreak
from b2bcrm.customers.models import Account
from b2bcrm.fulfillment import actions as fulfillment
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.errors import CrmError, NotFound
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.work import Office, Work
from b2bcrm.orders import actions
from b2bcrm.orders.models import Order, Origin
from b2bcrm.sync import actions as monitor
from b2bcrm.sync import queries
from b2bcrm.sync.models import ErpConnection, GuardState, GuardStop

CLERK = Actor(name="Storm", role=Role.ADMIN)
LONG = dt.timedelta(minutes=5)  # a person does not wait for a breaker that stays open longer
MOST_WAITING = 60  # deliveries; more would only wait
_FAR = (90, 160)  # days: nothing of it ships while the storm lasts, so it can be changed
_SOON = (3, 9)
_ACTS = {"sell": 45, "amend": 25, "repromise": 17, "rewish": 8, "cancel": 5}


@dataclass(frozen=True)
class Line:
    """What was agreed for a line."""

    item: str
    qty: Decimal
    unit_price: Decimal
    discount_pct: Decimal
    requested_on: dt.date
    promised_on: dt.date


@dataclass
class Agreed:
    """An order as the desk last left it."""

    order_id: int
    lines: dict[int, Line]
    cancelled: bool = False
    changeable: bool = True


@dataclass
class Desk:
    """Acts by seed; ``book`` is order number -> what was agreed."""

    office: Office
    seed: int
    book: dict[str, Agreed] = field(default_factory=dict)
    acts: Counter[str] = field(default_factory=Counter)
    shown: int = 0  # stuck deliveries that a person saw and sent again
    hidden: int = 0  # stuck ones that no page would have shown

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed}/desk")

    # ------------------------------------------------------------------------------------ selling
    def act(self) -> bool:
        """One act, unless more than enough waits already."""
        with self.office.open(read_only=True) as work:
            waiting = work.session.scalar(
                sa.select(sa.func.count())
                .select_from(Delivery)
                .where(Delivery.state != DeliveryState.DONE)
            )
        if (waiting or 0) > MOST_WAITING:
            return False
        living = [no for no, agreed in self.book.items() if agreed.changeable]
        what = self._chance.choices(list(_ACTS), list(_ACTS.values()))[0]
        try:
            if what == "sell" or not living:
                self._sell()
            else:
                self._change(what, self._chance.choice(living))
        except (CrmError, StaleDataError) as no:  # somebody was faster: nothing has changed
            self.acts[f"not done: {type(no).__name__}"] += 1
        return True

    def _sell(self) -> None:
        chance = self._chance
        soon = chance.random() < 0.2  # noqa: PLR2004 - one order in five ships during the storm
        with self.office.open(CLERK) as work:
            draft = self._draft(work, soon=soon)
            if draft is None:
                return
            order = actions.open_order(work, draft)
            actions.confirm(
                work, order.id, expected_version=None, promises=fulfillment.Promises(work)
            )
            no, agreed = order.no, Agreed(order.id, _lines(work, order), changeable=not soon)
        self.book[no] = agreed
        self.acts["sell"] += 1

    def _draft(self, work: Work, *, soon: bool) -> actions.OrderDraft | None:
        chance, session = self._chance, work.session
        accounts = session.scalars(
            sa.select(Account)
            .where(Account.erp_id.is_not(None), ~Account.credit_hold, Account.active)
            .order_by(Account.id)
        ).all()
        priced = session.execute(
            sa.select(Item.id, Item.no, Item.unit, PriceBreak.unit_price)
            .join(PriceBreak, PriceBreak.item_no == Item.no)
            .where(Item.sellable)
            .order_by(PriceBreak.id)
        ).all()
        sites = {site.company_id: site.id for site in session.scalars(sa.select(Site))}
        if not accounts or not priced:
            return None  # the first load is still on its way
        account = chance.choice(accounts)
        day = work.today + dt.timedelta(days=chance.randint(*(_SOON if soon else _FAR)))
        chosen = {row.id: row for row in chance.sample(priced, min(3, len(priced)))}
        rows = list(chosen.values())[: chance.randint(1, 3)]
        return actions.OrderDraft(
            account_id=account.id,
            company_id=account.company_id,
            site_id=sites[account.company_id],
            origin=Origin.STAFF,
            currency=account.currency,
            rate=Decimal(1),
            customer_po=f"PO-{chance.randrange(10**6)}",
            payment_terms=account.payment_terms,
            incoterm=account.incoterm,
            incoterm_place=account.incoterm_place,
            lines=tuple(
                actions.OrderDraftLine(
                    line_no=10 * (n + 1),
                    item_id=row.id,
                    unit=row.unit,
                    qty=Decimal(chance.randint(2, 20)),
                    unit_price=row.unit_price,
                    requested_on=day,
                    promised_on=day,
                )
                for n, row in enumerate(rows)
            ),
        )

    def _change(self, what: str, no: str) -> None:
        agreed, chance = self.book[no], self._chance
        line_no = chance.choice(sorted(agreed.lines))
        line = agreed.lines[line_no]
        days = dt.timedelta(days=chance.randint(1, 9))
        with self.office.open(CLERK) as work:
            promises = fulfillment.Promises(work)
            if what == "cancel":
                order = actions.cancel(
                    work,
                    agreed.order_id,
                    expected_version=None,
                    reason="Storm",
                    promises=promises,
                )
            elif what == "repromise":
                order = actions.repromise(
                    work,
                    agreed.order_id,
                    line_no,
                    expected_version=None,
                    promised_on=line.promised_on + days,
                )
            else:
                order = actions.amend_line(
                    work,
                    agreed.order_id,
                    line_no,
                    expected_version=None,
                    promises=promises,
                    qty=line.qty + chance.choice((-1, 1, 2, 3)) if what == "amend" else None,
                    requested_on=line.requested_on + days if what == "rewish" else None,
                )
            lines = _lines(work, order)
        agreed.lines = lines
        agreed.cancelled = what == "cancel"
        agreed.changeable = not agreed.cancelled and min(ln.qty for ln in lines.values()) > 1
        self.acts[what] += 1

    # ------------------------------------------------------------------------------- looking after
    def look_after(self, *, hurry: bool = False) -> None:
        """Send again what is stuck and shown as such; in a ``hurry`` also what only waits."""
        states = [DeliveryState.PARKED] + [DeliveryState.WAITING] * hurry
        with self.office.open(read_only=True) as work:
            query = sa.select(Delivery.id, Delivery.state).where(Delivery.state.in_(states))
            stuck = work.session.execute(query).all()
            # Afterwards: what is parked between the two statements is not hidden.
            shown = {row.id for row in queries.open_deliveries(work.session) if row.reason}
            locked_out = work.session.scalar(
                sa.select(ErpConnection.id).where(ErpConnection.open_until > work.tick + LONG)
            )
        self._answer_the_guard()
        if locked_out or hurry:
            with self.office.open(CLERK) as work:
                monitor.run_now(work)
        for row in stuck:
            if row.state is DeliveryState.PARKED:
                self.shown += row.id in shown
                self.hidden += row.id not in shown
            # NotFound: it has been delivered meanwhile.
            with suppress(NotFound), self.office.open(CLERK) as work:
                monitor.retry_delivery(work, row.id)

    def _answer_the_guard(self) -> None:
        """Hours pass in seconds here, so a run may change very much: a person says yes."""
        with self.office.open(CLERK) as work:
            work.session.execute(
                sa.update(GuardStop)
                .where(GuardStop.state == GuardState.OPEN)
                .values(state=GuardState.APPROVED, decided_at=work.tick, decided_by=work.actor.name)
            )


def _lines(work: Work, order: Order) -> dict[int, Line]:
    query = sa.select(Item.id, Item.no).where(Item.id.in_([ln.item_id for ln in order.lines]))
    items = dict(work.session.execute(query).all())
    return {
        ln.line_no: Line(
            item=items[ln.item_id],
            qty=ln.ordered_qty,
            unit_price=ln.unit_price,
            discount_pct=ln.discount_pct,
            requested_on=ln.requested_on,
            promised_on=ln.promised_on or ln.requested_on,
        )
        for ln in order.lines
    }
