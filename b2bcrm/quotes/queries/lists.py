"""The list of quotes: current revisions, filtered, sorted and paged by the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.customers.models import Account
from b2bcrm.kernel.matching import holds
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.numbering import revision_letter
from b2bcrm.kernel.work import Work
from b2bcrm.quotes.lifecycle import QuoteState
from b2bcrm.quotes.models import Quote, QuoteLine
from b2bcrm.quotes.queries.quotes import visible_to
from b2bcrm.users.models import User

OPEN = frozenset({QuoteState.DRAFT, QuoteState.SENT})
STATES = ("open", *(state.value for state in QuoteState if state is not QuoteState.SUPERSEDED))


@dataclass(frozen=True)
class QuoteRow:
    """One current revision. ``wanted_on`` and ``ready_on`` are those of its last line."""

    id: int
    no: str
    rev: int
    account_id: int
    account_name: str
    state: QuoteState
    currency: str
    total: Decimal
    win_pct: int
    created_at: dt.datetime
    sent_at: dt.datetime | None
    opened_at: dt.datetime | None
    valid_until: dt.date
    decision_on: dt.date | None
    owner_name: str
    wanted_on: dt.date | None
    ready_on: dt.date | None
    line_count: int

    @property
    def letter(self) -> str:
        """The revision's letter."""
        return revision_letter(self.rev)

    @property
    def money(self) -> Money:
        """The total with its currency."""
        return Money(self.total, self.currency)


_SORTS = {
    "no": Quote.no,
    "account": Account.name,
    "created": Quote.created_at,
    "valid": Quote.valid_until,
    "total": sa.cast(Quote.total, sa.Float) * sa.cast(Quote.rate, sa.Float),  # beyond 64 bits
    "win": Quote.win_pct,
}
QUOTE_SORTS = tuple(_SORTS)


def _filtered(
    work: Work, *, words: str, state: str, owner_id: int | None, account_id: int | None
) -> sa.Select[Quote]:
    query = visible_to(work.actor).join(Account, Account.id == Quote.account_id)
    if work.actor.is_portal:
        # While a new revision is being drafted the customer goes on seeing the last sent one.
        later = sa.orm.aliased(Quote)
        query = query.where(
            ~sa.exists().where(
                later.no == Quote.no, later.rev > Quote.rev, later.sent_at.is_not(None)
            )
        )
    else:
        query = query.where(Quote.current)
    if state == "open":
        query = query.where(Quote.state.in_(OPEN))
    elif state in STATES:
        query = query.where(Quote.state == QuoteState(state))
    if owner_id is not None:
        query = query.where(Quote.owner_id == owner_id)
    if account_id is not None:
        query = query.where(Quote.account_id == account_id)
    if words:
        query = query.where(sa.or_(holds(Quote.no, words), holds(Account.name, words)))
    return query


def quote_list(
    work: Work,
    *,
    words: str = "",
    state: str = "",
    owner_id: int | None = None,
    account_id: int | None = None,
    sort: str = "created",
    descending: bool = True,
    offset: int = 0,
    limit: int = 50,
) -> tuple[Sequence[QuoteRow], int]:
    """Two statements: the number of all, and one page with names and dates joined."""
    query = _filtered(work, words=words, state=state, owner_id=owner_id, account_id=account_id)
    total = work.session.scalar(
        sa.select(sa.func.count()).select_from(query.with_only_columns(Quote.id).subquery())
    )
    of_quote = QuoteLine.quote_id == Quote.id
    wanted, ready, count, undated = (
        sa.select(expression).where(of_quote).correlate(Quote).scalar_subquery()
        for expression in (
            sa.func.max(QuoteLine.wanted_on),
            sa.func.max(QuoteLine.promised_on),
            sa.func.count(),
            sa.func.count().filter(QuoteLine.promised_on.is_(None)),
        )
    )
    order = _SORTS[sort]
    page = (
        query.outerjoin(User, User.id == Quote.owner_id)
        .with_only_columns(
            Quote.id,
            Quote.no,
            Quote.rev,
            Quote.account_id,
            Account.name,
            Quote.state,
            Quote.currency,
            Quote.total,
            Quote.win_pct,
            Quote.created_at,
            Quote.sent_at,
            Quote.opened_at,
            Quote.valid_until,
            Quote.decision_on,
            sa.func.coalesce(User.name, ""),
            wanted,
            sa.case((undated == 0, ready), else_=None),
            count,
        )
        .order_by(order.desc() if descending else order.asc(), Quote.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return [QuoteRow(*tuple(row)) for row in work.session.execute(page)], total or 0


def counts_by_state(work: Work, *, owner_id: int | None = None) -> dict[str, int]:
    """How many current revisions per state, and ``open`` for drafts and sent ones together."""
    query = (
        _filtered(work, words="", state="", owner_id=owner_id, account_id=None)
        .with_only_columns(Quote.state, sa.func.count())
        .group_by(Quote.state)
    )
    found = {state.value: int(n) for state, n in work.session.execute(query)}
    found["open"] = sum(found.get(state.value, 0) for state in OPEN)
    return found
