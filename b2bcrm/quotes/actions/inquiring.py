"""Acts on inquiries: a customer's wish comes in, or is declined."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm.attributes import flag_modified

from b2bcrm.catalog.models import Item
from b2bcrm.customers import queries as customers
from b2bcrm.customers.models import Account, Contact, CustomerPart
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Conflict, Invalid
from b2bcrm.kernel.numbering import next_number
from b2bcrm.kernel.organization import Site, calendar_of
from b2bcrm.kernel.quantity import check_qty
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.quotes import events, queries
from b2bcrm.quotes.lifecycle import Channel, InquiryState
from b2bcrm.quotes.models import LINE_STEP, Inquiry, InquiryLine
from b2bcrm.users.models import User

REPLY_HOURS = 8  # working hours in which an inquiry should be answered
MAX_TEXT = 20_000


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One line as the customer gives it. ``part`` is his own number or ours; ``text`` is free."""

    part: str = ""
    text: str = ""
    qty: Decimal | None = None
    wanted_on: dt.date | None = None


def create_inquiry(
    work: Work,
    *,
    wishes: Sequence[Wish],
    account_id: int | None = None,
    text: str = "",
    subject: str = "",
    channel: Channel = Channel.PORTAL,
    contact_id: int | None = None,
) -> Inquiry:
    """Take a wish in. A buyer asks for his own account; sales names one.

    Numbers of parts are matched with the customer's own first, then with ours; what matches
    nothing stays as he wrote it. Raises Invalid with sentences at ``lines.<n>.<field>``.
    """
    account = _account(work, account_id)
    _check(work, wishes, text)
    matched = _match(work, account.id, [wish.part for wish in wishes])
    inquiry = Inquiry(
        no=next_number(work.session, "IN", work.today.year),
        company_id=account.company_id,
        account_id=account.id,
        contact_id=_contact(work, account.id, contact_id),
        owner_id=account.owner_id if work.actor.is_portal else work.actor.user_id,
        channel=Channel.PORTAL if work.actor.is_portal else channel,
        state=InquiryState.OPEN,
        subject=subject[:200],
        text=text,
        received_at=work.now,
        reply_by_at=_reply_by(work, account),
        lines=[
            _line(n, wish, matched.get(wish.part.strip().casefold()))
            for n, wish in enumerate(wishes)
        ],
    )
    _check_units(inquiry, matched)
    work.session.add(inquiry)
    work.session.flush()  # flush: the event needs the id
    work.publish(
        events.InquiryReceived(
            subject_id=inquiry.id,
            account_id=account.id,
            no=inquiry.no,
            channel=inquiry.channel.value,
            line_count=len(wishes),
        )
    )
    work.bump("quotes")
    return inquiry


def _account(work: Work, account_id: int | None) -> Account:
    if work.actor.is_portal:
        return customers.by_id(work, work.actor.account_id or 0)
    work.actor.must(Right.QUOTE)
    return customers.by_id(work, account_id or 0)


def _check(work: Work, wishes: Sequence[Wish], text: str) -> None:
    wrong: dict[str, Message] = {}
    if not wishes and not text.strip():
        wrong["text"] = Message("Tell us what you need, in words or as lines.")
    if len(text) > MAX_TEXT:
        wrong["text"] = Message("At most %(n)s characters.", n=MAX_TEXT)
    for n, wish in enumerate(wishes):
        if not wish.part.strip() and not wish.text.strip():
            wrong[f"lines.{n}.part"] = Message("Name a part or describe it.")
        if wish.wanted_on is not None and wish.wanted_on < work.today:
            wrong[f"lines.{n}.wanted_on"] = Message("This day has passed.")
        if wish.qty is not None:
            try:
                check_qty(wish.qty, "kg")
            except Invalid as error:
                wrong[f"lines.{n}.qty"] = error.message
    _raise(wrong)


def _check_units(inquiry: Inquiry, matched: dict[str, tuple[Item, str]]) -> None:
    units = {item.id: item.unit for item, _part in matched.values()}
    wrong: dict[str, Message] = {}
    for n, line in enumerate(inquiry.lines):
        if line.item_id is not None and line.qty is not None:
            try:
                check_qty(line.qty, units[line.item_id])
            except Invalid as error:
                wrong[f"lines.{n}.qty"] = error.message
    _raise(wrong)


def _raise(wrong: dict[str, Message]) -> None:
    if wrong:
        raise Invalid(Message("Please correct the marked fields."), fields=wrong)


def _match(work: Work, account_id: int, parts: Sequence[str]) -> dict[str, tuple[Item, str]]:
    """By the typed number in lower case: our item, and the customer's number for it."""
    asked = {part.strip().casefold() for part in parts if part.strip()}
    if not asked:
        return {}
    query = (
        sa.select(Item, CustomerPart.part_no)
        .outerjoin(
            CustomerPart,
            sa.and_(CustomerPart.item_id == Item.id, CustomerPart.account_id == account_id),
        )
        .where(
            Item.sellable,
            Item.active,
            sa.or_(
                sa.func.lower(CustomerPart.part_no).in_(asked), sa.func.lower(Item.no).in_(asked)
            ),
        )
        .order_by(Item.id)
    )
    rows = work.session.execute(query).all()
    found = {item.no.casefold(): (item, part or "") for item, part in rows}
    return found | {part.casefold(): (item, part) for item, part in rows if part}


def _line(n: int, wish: Wish, match: tuple[Item, str] | None) -> InquiryLine:
    part = wish.part.strip()
    return InquiryLine(
        line_no=(n + 1) * LINE_STEP,
        item_id=match[0].id if match else None,
        customer_part_no=(match[1] if match else part)[:60],
        text=wish.text.strip()[:300],
        qty=wish.qty,
        wanted_on=wish.wanted_on,
    )


def _contact(work: Work, account_id: int, contact_id: int | None) -> int | None:
    query = sa.select(Contact.id).where(Contact.account_id == account_id)
    if work.actor.is_portal:
        own = sa.select(sa.func.lower(User.email)).where(User.id == work.actor.user_id)
        query = query.where(sa.func.lower(Contact.email) == own.scalar_subquery())
    elif contact_id is not None:
        return customers.contact(work, account_id, contact_id).id
    found: int | None = work.session.scalar(query.order_by(Contact.id).limit(1))
    return found


def _reply_by(work: Work, account: Account) -> dt.datetime:
    code = work.session.scalar(
        sa.select(Site.calendar_code)
        .where(Site.company_id == account.company_id)
        .order_by(Site.id)
        .limit(1)
    )
    return calendar_of(work.session, code or "").add_hours(work.now, REPLY_HOURS)


def decline_inquiry(work: Work, inquiry_id: int, *, reason: str) -> Inquiry:
    """We cannot offer; the reason is for our own people."""
    work.actor.must(Right.QUOTE)
    inquiry = queries.inquiry_by_id(work, inquiry_id)
    if inquiry.state is not InquiryState.OPEN:
        raise Conflict(Message("This inquiry has already been answered."), code="illegal_act")
    if not reason.strip():
        message = Message("This field is needed.")
        raise Invalid(message, fields={"reason": message})
    inquiry.state, inquiry.replied_at = InquiryState.DECLINED, work.now
    flag_modified(inquiry, "state")
    work.publish(
        events.InquiryDeclined(
            subject_id=inquiry.id,
            account_id=inquiry.account_id,
            no=inquiry.no,
            reason=reason.strip()[:300],
        )
    )
    work.bump("quotes")
    return inquiry
