"""Connections as rows: entering one, what it may send, when customers are told.

A new connection sends nothing and tells nobody. Sending is switched on after the certification;
notices after a person has seen the list of what would be told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from b2bcrm.kernel import outbox
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.database import Base, insert_for
from b2bcrm.kernel.errors import Conflict, Invalid, Refused, not_found
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.sync import certificates, events, quiet
from b2bcrm.sync.models import ErpConnection, Writes
from b2bcrm.sync.vault import Vault, is_reference

MAIN = "main"
CODE_LENGTH = 20
CUSTOMER_NOTICES = ("mail.promise_moved", "mail.order_confirmed")
"""Handlers that tell a customer what became of an order; they ask ``must_be_silent`` first.

What a person writes (a quote, an answer to a case) is no notice.
"""


@dataclass(frozen=True, kw_only=True)
class ConnectionForm:
    """What a person enters. An empty ``secret`` keeps the stored one."""

    code: str
    profile: str
    base_url: str
    company: str
    user: str
    secret: str = field(default="", repr=False)
    params: Mapping[str, str] = field(default_factory=dict)
    quiet: Sequence[Mapping[str, str]] = ()
    concurrency: int | None = None
    per_minute: int | None = None


def get(work: Work, code: str) -> ErpConnection:
    """The connection; NotFound if there is none."""
    found = work.session.scalar(sa.select(ErpConnection).where(ErpConnection.code == code))
    if found is None:
        raise not_found(Message("This ERP connection"))
    return found


def company_connection(company_id: int | sa.SQLColumnExpression[int]) -> sa.ColumnElement[str]:
    """The connection that what belongs to one of our companies is written to, for statements.

    The one whose ``company`` is how the ERPs call ours: an active one before one that rests, the
    first one before others. A company that no connection names is the first connection's.
    """
    company = aliased(Company)
    query = (
        sa.select(ErpConnection.code)
        .join(company, company.erp_company == ErpConnection.company)
        .where(company.id == company_id)
        .order_by(ErpConnection.active.desc(), ErpConnection.code != MAIN, ErpConnection.id)
        .limit(1)
    )
    return sa.func.coalesce(query.scalar_subquery(), MAIN)


def of_company(work: Work, company_id: int) -> str:
    """The same, for one company."""
    return work.session.scalars(sa.select(company_connection(company_id))).one()


def sending(work: Work, code: str) -> Writes:
    """What may be sent to this ERP; nothing where the connection rests or is not entered."""
    query = sa.select(ErpConnection.writes).where(ErpConnection.code == code, ErpConnection.active)
    return work.session.scalar(query) or Writes.OFF


def enter(work: Work, form: ConnectionForm, vault: Vault) -> ErpConnection:
    """Enter a connection, or change it; a new one begins with everything off."""
    work.actor.must(Right.OPERATE_ERP)
    if not form.code or len(form.code) > CODE_LENGTH or not form.code.isascii():
        text = Message("A code has 1 to %(n)s plain characters.", n=CODE_LENGTH)
        raise Invalid(text, fields={"code": text})
    quiet.check(form.quiet)
    for name, number in (("concurrency", form.concurrency), ("per_minute", form.per_minute)):
        if number is not None and number < 1:
            text = Message("At least 1.")
            raise Invalid(text, fields={name: text})
    row = work.session.scalar(sa.select(ErpConnection).where(ErpConnection.code == form.code))
    if row is None:
        row = ErpConnection(code=form.code, notices_off_since=work.now)
        work.session.add(row)
    row.profile, row.base_url = form.profile, form.base_url
    row.company, row.user, row.params = form.company, form.user, dict(form.params)
    row.quiet = [dict(entry) for entry in form.quiet]
    row.concurrency, row.per_minute = form.concurrency, form.per_minute
    if form.secret:
        row.secret = form.secret if is_reference(form.secret) else vault.seal(form.secret)
    work.session.flush()  # flush: the event names its id
    _tell(work, row, Message("The settings of the ERP connection were changed."))
    return row


def add_unless_there(work: Work, row: Base) -> None:
    """Insert a row; nothing happens if its natural key is there, or comes at the same time."""
    table = type(row).__table__
    values = {c.name: getattr(row, c.name) for c in table.columns if c.name != "id"}
    insert = insert_for(work.session, type(row)).values(values)
    work.session.execute(insert.on_conflict_do_nothing())


def register_main(work: Work, *, trusted: bool, **settings: Any) -> ErpConnection:
    """The first connection, from the settings; where they changed, the row follows.

    ``trusted`` (the demo) may send and tell at once.
    """
    new = ErpConnection(code=MAIN, notices_off_since=None if trusted else work.now)
    if trusted:
        new.writes, new.notices, new.go_live_at = Writes.ON, True, work.now
    add_unless_there(work, new)
    row = get(work, MAIN)
    for name, value in settings.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
    return row


def is_certified(work: Work, row: ErpConnection) -> bool:
    """Whether the contract suite was passed, orders entered, with the profile as it is now."""
    return certificates.certified(work.session, row.code, row.profile_digest)


def switch_writes(work: Work, code: str, writes: Writes) -> ErpConnection:
    """Off, dry run or on; on only when the connection is certified."""
    work.actor.must(Right.OPERATE_ERP)
    row = get(work, code)
    if writes is Writes.ON and not is_certified(work, row):
        raise Refused(
            Message("Orders are sent only through a certified connection: certify it first."),
            code="not_certified",
        )
    row.writes = writes
    _tell(work, row, Message("Sending orders to the ERP: %(what)s", what=writes.value))
    return row


@dataclass(frozen=True)
class Untold:
    """A notice that waits for the go-live: which mail, about what, since when."""

    delivery_id: int
    handler: str
    order_no: str
    created_at: dt.datetime


def untold(work: Work, code: str, go_live_at: dt.datetime) -> list[Untold]:
    """What customers would be told if notices were switched on with this go-live."""
    row = get(work, code)
    since = max(go_live_at, row.notices_off_since or go_live_at)
    ahead = work.now - work.tick  # deliveries carry machine time
    query = (
        sa.select(Delivery)
        .where(
            Delivery.handler.in_(CUSTOMER_NOTICES),
            Delivery.target == code,
            Delivery.state == DeliveryState.DONE,
            Delivery.created_at >= since - ahead,
        )
        .order_by(Delivery.id)
    )
    return [
        Untold(
            d.id,
            d.handler,
            str(d.payload.get("order_no") or d.payload.get("no") or ""),
            d.created_at,
        )
        for d in work.session.scalars(query)
    ]


def switch_notices(
    work: Work, code: str, *, on: bool, go_live_at: dt.datetime | None = None, seen: int = 0
) -> ErpConnection:
    """Tell customers, or not. ``seen`` is how many notices the person's preview listed.

    What happened since the go-live while notices were off is told now.
    """
    work.actor.must(Right.OPERATE_ERP)
    row = get(work, code)
    if not on:
        row.notices, row.notices_off_since = False, work.now
        _tell(work, row, Message("Customers are not told of changes."))
        return row
    start = go_live_at or work.now
    waiting = [] if row.notices else untold(work, code, start)
    if len(waiting) != seen:
        raise Conflict(
            Message("The list has changed: %(n)s notices would be sent.", n=len(waiting)),
            code="preview_outdated",
        )
    row.notices, row.go_live_at, row.notices_off_since = True, start, None
    work.session.execute(
        sa.update(Delivery)
        .where(Delivery.id.in_([one.delivery_id for one in waiting]))
        .values(state=DeliveryState.WAITING, next_at=work.tick, done_at=None)
    )
    _tell(work, row, Message("Customers are told of changes since %(day)s.", day=start.date()))
    return row


def customers_are_told(work: Work, code: str) -> bool:
    """Whether customers may be told what became of orders in this ERP; another one has no say.

    Without the connection there is nothing to wait for.
    """
    row = work.session.execute(
        sa.select(ErpConnection.notices, ErpConnection.go_live_at).where(ErpConnection.code == code)
    ).one_or_none()
    return row is None or (row.notices and (row.go_live_at is None or row.go_live_at <= work.now))


def must_be_silent(work: Work, code: str, *, stream: str, handler: str) -> bool:
    """Whether a notice is not sent now; it is remembered for the list before the go-live."""
    if customers_are_told(work, code):
        return False
    outbox.aim(work.session, stream, handler, code)
    return True


def set_quiet(work: Work, code: str, hours: Sequence[Mapping[str, str]]) -> ErpConnection:
    """When this ERP is only read, or left alone; see ``quiet``. Raises Invalid."""
    work.actor.must(Right.OPERATE_ERP)
    row = get(work, code)
    quiet.check(hours)
    row.quiet = [dict(entry) for entry in hours]
    _tell(work, row, Message("The quiet hours were changed."))
    return row


def _tell(work: Work, row: ErpConnection, what: Message) -> None:
    work.publish(events.ConnectionChanged(subject_id=row.id, code=row.code, what=what))
    work.bump("erp")
