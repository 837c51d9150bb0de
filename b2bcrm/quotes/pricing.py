"""Prices of a quote as pure rules: breaks, discounts, exact totals, margin, and who may send.

Percentages are in percent (24 means 24 %). Costs are in the base currency and are turned into
the quote's by its frozen rate (base currency per unit of the quote's). Rounding is that of
``kernel.money``: each line once, the total is the sum of rounded lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.money import Money, line_net, total
from b2bcrm.kernel.words import Message

MARGIN_FLOOR = Decimal(24)
MARGIN_TARGET = Decimal(30)
DISCOUNT_LIMITS: dict[Role, Decimal] = {
    Role.SALES: Decimal(10),
    Role.SALES_MANAGER: Decimal(25),
    Role.ADMIN: Decimal(25),
}
BELOW_FLOOR_ROLES = frozenset({Role.SALES_MANAGER, Role.ADMIN})
DISCOUNT_PLACES = 2
PRICE_PLACES = 6
HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Break:
    """``unit_price`` holds from ``min_qty`` on."""

    min_qty: Decimal
    unit_price: Decimal


@dataclass(frozen=True)
class Saving:
    """Ordering ``qty`` costs ``amount`` less in all than the smaller quantity asked for."""

    qty: Decimal
    amount: Money


@dataclass(frozen=True)
class Margin:
    """What is left of the net after standard cost. ``pct`` is None where nothing is charged."""

    amount: Money
    pct: Decimal | None

    @property
    def status(self) -> str:
        """Late below the floor, risk below half-way to the target, otherwise ok."""
        if self.pct is None or self.pct < MARGIN_FLOOR:
            return "late"
        return "ok"


@dataclass(frozen=True)
class PricedLine:
    """What the rules look at of one line. ``unit_cost`` is base currency per unit."""

    line_no: int
    qty: Decimal
    unit_price: Decimal
    discount_pct: Decimal
    unit_cost: Decimal

    def gross(self, currency: str) -> Money:
        """Before the discount."""
        return line_net(self.unit_price, self.qty, Decimal(0), currency)

    def net(self, currency: str) -> Money:
        """After the discount, rounded once."""
        return line_net(self.unit_price, self.qty, self.discount_pct, currency)

    def margin(self, currency: str, rate: Decimal) -> Margin:
        """Net less standard cost at the frozen rate."""
        return _margin(self.net(currency), self.unit_cost * self.qty, rate)


@dataclass(frozen=True)
class Totals:
    """Sums of rounded lines: ``gross`` - ``discount`` = ``net``, always exactly."""

    gross: Money
    discount: Money
    net: Money
    margin: Margin

    @property
    def discount_pct(self) -> Decimal:
        """The discount in percent of the gross."""
        return self.discount.amount / self.gross.amount * 100 if self.gross.amount else Decimal(0)

    @property
    def short_of_target(self) -> Money:
        """How much margin is missing to the target; zero when it is reached."""
        wanted = self.net.times(MARGIN_TARGET / HUNDRED)
        missing = wanted - self.margin.amount
        return missing if missing.amount > 0 else Money.zero(self.net.currency)


def ladder(breaks: Sequence[Break]) -> tuple[Break, ...]:
    """The breaks, smallest quantity first, one per quantity (the later one given wins)."""
    by_qty = {step.min_qty: step for step in breaks}
    return tuple(by_qty[qty] for qty in sorted(by_qty))


def break_for(steps: Sequence[Break], qty: Decimal) -> Break | None:
    """The step that ``qty`` reaches; the first one below it; None of an empty ladder."""
    reached = [step for step in steps if step.min_qty <= qty]
    if reached:
        return reached[-1]
    return steps[0] if steps else None


def saving(
    steps: Sequence[Break], qty: Decimal, discount_pct: Decimal, currency: str
) -> Saving | None:
    """The next break whose whole amount is lower than that of ``qty``, if there is one."""
    here = break_for(steps, qty)
    if here is None:
        return None
    now = line_net(here.unit_price, qty, discount_pct, currency)
    for step in steps:
        if step.min_qty > qty:
            then = line_net(step.unit_price, step.min_qty, discount_pct, currency)
            if then < now:
                return Saving(step.min_qty, now - then)
    return None


def check_discount(value: Decimal) -> Decimal:
    """``value`` if it is a discount one can give (0 to below 100, two places)."""
    if not value.is_finite() or value < 0 or value >= HUNDRED:
        raise Invalid(Message("A discount is between 0 and 100 %%."), code="discount_range")
    if value != round(value, DISCOUNT_PLACES):
        raise Invalid(
            Message("At most %(places)s decimal places.", places=DISCOUNT_PLACES),
            code="discount_places",
        )
    return value


def check_price(value: Decimal) -> Decimal:
    """``value`` if it is a unit price (0 or more, six places, below 10^9)."""
    if not value.is_finite() or value < 0 or value >= Decimal(10) ** 9:
        raise Invalid(Message("This is not a possible price."), code="price_range")
    if value != round(value, PRICE_PLACES):
        raise Invalid(
            Message("At most %(places)s decimal places.", places=PRICE_PLACES),
            code="price_places",
        )
    return value


def _margin(net: Money, cost: Decimal, rate: Decimal) -> Margin:
    left = net - Money.of(cost / rate, net.currency)
    pct = left.amount / net.amount * 100 if net.amount else None
    return Margin(left, pct)


def add_up(lines: Sequence[PricedLine], currency: str, rate: Decimal) -> Totals:
    """The quote's totals."""
    gross = total((line.gross(currency) for line in lines), currency)
    net = total((line.net(currency) for line in lines), currency)
    cost = sum((line.unit_cost * line.qty for line in lines), Decimal(0))
    return Totals(gross, gross - net, net, _margin(net, cost, rate))


def discount_limit(role: Role) -> Decimal:
    """The highest discount ``role`` may give on a line, in percent; 0 for most roles."""
    return DISCOUNT_LIMITS.get(role, Decimal(0))


@dataclass(frozen=True)
class Objection:
    """Why a line needs somebody else's approval, and the discount at which it would not."""

    line_no: int
    reason: Message
    lower_to: Decimal | None = None


def objections(
    lines: Sequence[PricedLine], currency: str, rate: Decimal, role: Role
) -> list[Objection]:
    """What keeps somebody of ``role`` from sending these prices; empty when he may."""
    limit = discount_limit(role)
    found: list[Objection] = []
    for line in lines:
        margin = line.margin(currency, rate).pct
        too_low = margin is None or margin < MARGIN_FLOOR
        facts = {
            "line": line.line_no,
            "discount": _short(line.discount_pct),
            "limit": _short(limit),
            "margin": _short(margin or Decimal(0)),
            "floor": MARGIN_FLOOR,
        }
        below = too_low and role not in BELOW_FLOOR_ROLES
        if line.discount_pct > limit and below:
            text = Message(
                "Line %(line)s: its discount of %(discount)s %% is above your limit of "
                "%(limit)s %%, and its margin of %(margin)s %% is below the floor of %(floor)s %%.",
                **facts,
            )
        elif line.discount_pct > limit:
            text = Message(
                "Line %(line)s: its discount of %(discount)s %% is above your limit of "
                "%(limit)s %%.",
                **facts,
            )
        elif below:
            text = Message(
                "Line %(line)s: its margin of %(margin)s %% is below the floor of %(floor)s %%.",
                **facts,
            )
        else:
            continue
        found.append(Objection(line.line_no, text, _lower_to(line, currency, rate, limit)))
    return found


def _lower_to(line: PricedLine, currency: str, rate: Decimal, limit: Decimal) -> Decimal | None:
    lowered = min(line.discount_pct, limit)
    if lowered == line.discount_pct:
        return None
    other = PricedLine(line.line_no, line.qty, line.unit_price, lowered, line.unit_cost)
    margin = other.margin(currency, rate).pct
    return lowered if margin is not None and margin >= MARGIN_FLOOR else None


def _short(value: Decimal) -> Decimal:
    return round(value, 1)
