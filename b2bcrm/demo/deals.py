"""A deal: an inquiry or none, one quote number with its revisions, and how it ended.

Turns a deal into rows of inquiries and quotes and into facts. Which deals there were is decided
in ``past`` and ``pipeline``.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field, replace
from decimal import Decimal

from b2bcrm.demo.facts import Facts
from b2bcrm.demo.rows import Row, Rows
from b2bcrm.demo.scene import SYSTEM, Customer, Person, Scene, local_day
from b2bcrm.demo.seals import sealed
from b2bcrm.documents.environment import known_locale
from b2bcrm.kernel.money import PRICE_PLACES, line_net, round_to
from b2bcrm.kernel.numbering import revision_letter
from b2bcrm.kernel.words import Message
from b2bcrm.quotes import events
from b2bcrm.quotes.actions.drafting import VALID_DAYS
from b2bcrm.quotes.actions.inquiring import REPLY_HOURS
from b2bcrm.quotes.actions.sending import DEFAULT_HOLD_DAYS, HOLD_DAYS
from b2bcrm.quotes.lifecycle import LOSS_WORDS, Channel, InquiryState, LossReason, QuoteState
from b2bcrm.quotes.models import Inquiry, InquiryLine, Quote, QuoteLine


@dataclass(slots=True)
class Wish:
    """A line of the last revision."""

    item_id: int
    qty: Decimal
    list_price: Decimal
    discount_pct: Decimal
    wanted_on: dt.date
    promised_on: dt.date | None
    line_no: int = 0
    reason: Message | None = None


@dataclass(slots=True)
class Asked:
    """The inquiry that a deal began with."""

    received_at: dt.datetime
    channel: Channel
    subject: str = ""
    text: str = ""


@dataclass(slots=True)
class Deal:
    """``begun`` and ``sent`` are instants per revision; a draft's last revision is not sent."""

    customer: Customer
    lines: list[Wish]
    begun: list[dt.datetime]
    sent: list[dt.datetime]
    state: QuoteState
    buyer: Person
    asked: Asked | None = None
    closed_at: dt.datetime | None = None
    opened_at: dt.datetime | None = None
    decision_on: dt.date | None = None
    win_pct: int = 50
    ship_to_id: int | None = None
    customer_po: str = ""
    note: str = ""
    reason: LossReason | None = None
    competitor: str = ""
    comment: str = ""
    order_id: int | None = None
    order_no: str = ""
    terms: tuple[str, str, str] | None = None  # incoterm, its place, payment: of the order
    fixed_no: int | None = None
    no: str = ""
    inquiry_no: str = ""
    quote_id: int = 0
    inquiry_id: int | None = None
    held_until: dt.date | None = None
    rate: Decimal = field(default_factory=lambda: Decimal(1))

    @property
    def label(self) -> str:
        """Number and letter of the last revision."""
        return f"{self.no} rev {revision_letter(len(self.begun) - 1)}"


class Desk:
    """Writes deals: inquiries, quotes, their lines, their facts."""

    def __init__(self, scene: Scene, rows: Rows, facts: Facts) -> None:
        self.scene, self.rows, self.facts = scene, rows, facts
        self._inquiries: list[Row] = []
        self._wishes: list[Row] = []
        self._quotes: list[Row] = []
        self._lines: list[Row] = []

    def enter(self, deal: Deal) -> None:
        """Rows and facts of one deal, whose numbers are given; ``quote_id`` is set."""
        deal.rate = self.scene.rate(deal.customer.account.currency, local_day(deal.begun[-1]))
        if deal.asked is not None:
            self._enter_inquiry(deal, deal.asked)
        last = len(deal.begun) - 1
        for rev in range(last + 1):
            quote_id = self.rows.next_id(Quote)
            if rev == last:
                deal.quote_id = quote_id
            lines = deal.lines if rev == last else earlier(self.scene, deal, rev, last)
            self._enter_revision(deal, rev, quote_id, lines)

    def write(self) -> None:
        """Write what was entered since the last time."""
        for kind, entered in (
            (Inquiry, self._inquiries),
            (InquiryLine, self._wishes),
            (Quote, self._quotes),
            (QuoteLine, self._lines),
        ):
            self.rows.put(kind, entered)
            entered.clear()

    def ask(
        self,
        customer: Customer,
        asked: Asked,
        *,
        no: str,
        by: Person,
        lines: list[Wish],
        state: InquiryState,
        replied_at: dt.datetime | None,
        words: str = "",
    ) -> int:
        """An inquiry; its id."""
        key = self.rows.next_id(Inquiry)
        self._inquiries.append(
            {
                "id": key,
                "no": no,
                "company_id": customer.account.company_id,
                "account_id": customer.account.id,
                "contact_id": by.contact_id,
                "owner_id": customer.owner.user_id,
                "channel": asked.channel,
                "state": state,
                "subject": asked.subject,
                "text": asked.text,
                "received_at": asked.received_at,
                "reply_by_at": customer.calendar.add_hours(asked.received_at, REPLY_HOURS),
                "replied_at": replied_at,
                "version": 1,
            }
        )
        wishes: list[Row] = [
            {
                "item_id": line.item_id,
                "text": "",
                "customer_part_no": self._part_no(customer, line),
                "qty": line.qty,
                "wanted_on": line.wanted_on,
            }
            for line in lines
        ]
        if words:
            wishes.append({"item_id": None, "text": words, "customer_part_no": "", "qty": None,
                           "wanted_on": None})  # fmt: skip
        for n, row in enumerate(wishes, 1):
            row |= {"id": self.rows.next_id(InquiryLine), "inquiry_id": key, "line_no": 10 * n}
        self._wishes += wishes
        self.facts.add(
            events.InquiryReceived(
                subject_id=key,
                account_id=customer.account.id,
                no=no,
                channel=asked.channel.value,
                line_count=len(wishes),
            ),
            asked.received_at,
            by if asked.channel is Channel.PORTAL else customer.owner,
        )
        return key

    def _part_no(self, customer: Customer, line: Wish) -> str:
        return self.scene.parts.get((customer.account.id, line.item_id), "")

    def _enter_inquiry(self, deal: Deal, asked: Asked) -> None:
        deal.inquiry_id = self.ask(
            deal.customer,
            asked,
            no=deal.inquiry_no,
            by=deal.buyer,
            lines=deal.lines,
            state=InquiryState.QUOTED,
            replied_at=deal.sent[0] if deal.sent else None,
        )

    def _enter_revision(self, deal: Deal, rev: int, quote_id: int, lines: list[Wish]) -> None:
        customer, account = deal.customer, deal.customer.account
        last = rev == len(deal.begun) - 1
        sent_at = deal.sent[rev] if rev < len(deal.sent) else None
        begun_at = deal.begun[rev]
        issued = local_day(sent_at or begun_at)
        valid_until = issued + dt.timedelta(days=VALID_DAYS)
        if deal.closed_at is not None and deal.state is not QuoteState.EXPIRED:
            valid_until = max(valid_until, local_day(deal.closed_at))
        held = customer.calendar.add_days(
            issued, HOLD_DAYS.get(account.customer_class, DEFAULT_HOLD_DAYS)
        )
        line_rows = [self._line(deal, quote_id, line, sent_at or begun_at) for line in lines]
        terms = deal.terms or (account.incoterm, account.incoterm_place, account.payment_terms)
        row: Row = {
            "id": quote_id,
            "no": deal.no,
            "rev": rev,
            "current": last,
            "company_id": account.company_id,
            "site_id": customer.site.id,
            "account_id": account.id,
            "contact_id": deal.buyer.contact_id,
            "ship_to_id": deal.ship_to_id,
            "inquiry_id": deal.inquiry_id,
            "owner_id": customer.owner.user_id,
            "state": deal.state if last else QuoteState.SUPERSEDED,
            "currency": account.currency,
            "rate": deal.rate,
            "total": sum((r["net"] for r in line_rows), Decimal(0)),
            "incoterm": terms[0],
            "incoterm_place": terms[1],
            "payment_terms": terms[2],
            "doc_language": known_locale(account.language),
            "customer_po": deal.customer_po if last else "",
            "note": deal.note,
            "win_pct": deal.win_pct,
            "decision_on": deal.decision_on,
            "created_at": begun_at,
            "valid_until": valid_until,
            "held_until": min(held, valid_until) if sent_at else None,
            "sent_at": sent_at,
            "opened_at": deal.opened_at if last else None,
            "closed_at": deal.closed_at if last else deal.begun[rev + 1],
            "loss_reason": deal.reason.value if deal.reason and last else "",
            "competitor": deal.competitor if last else "",
            "loss_comment": deal.comment if last else "",
            "seal": "",
            "sealed_content": None,
            "accepted_at": None,
            "accepted_by": "",
            "accepted_user_id": None,
            "changed_at": (deal.closed_at if last else None) or sent_at or begun_at,
            "changed_by": customer.owner.name,
            "version": 1,
        }
        if last and deal.state is QuoteState.ACCEPTED:
            row["accepted_at"], row["accepted_by"] = deal.closed_at, deal.buyer.name
            row["accepted_user_id"] = deal.buyer.user_id
        if last:
            deal.held_until = row["held_until"]
        if sent_at is not None:
            row["sealed_content"], row["seal"] = sealed(self.scene, deal, row, line_rows)
        self._quotes.append(row)
        self._lines += line_rows
        self._tell(deal, rev, row)

    def _line(self, deal: Deal, quote_id: int, line: Wish, checked_at: dt.datetime) -> Row:
        item = self.scene.items[line.item_id]
        currency = deal.customer.account.currency
        return {
            "id": self.rows.next_id(QuoteLine),
            "quote_id": quote_id,
            "line_no": line.line_no,
            "item_id": line.item_id,
            "description": item.name_in(deal.customer.language)[:300],
            "customer_part_no": self._part_no(deal.customer, line),
            "unit": item.unit,
            "qty": line.qty,
            "list_price": line.list_price,
            "discount_pct": line.discount_pct,
            "net": line_net(line.list_price, line.qty, line.discount_pct, currency).amount,
            "unit_cost": round_to(item.standard_cost, PRICE_PLACES),
            "wanted_on": line.wanted_on,
            "promised_on": line.promised_on,
            "promise_reason": line.reason,
            "checked_at": checked_at,
        }

    def _tell(self, deal: Deal, rev: int, row: Row) -> None:
        account_id, owner = deal.customer.account.id, deal.customer.owner
        label = f"{deal.no} rev {revision_letter(rev)}"
        last = rev == len(deal.begun) - 1
        common = {
            "subject_id": row["id"],
            "account_id": account_id,
            "no": deal.no,
            "label": label,
        }
        if rev == 0:
            drafted = events.QuoteDrafted(**common, inquiry_no=deal.inquiry_no)
            self.facts.add(drafted, row["created_at"], owner)
        if row["sent_at"] is not None:
            self.facts.add(
                events.QuoteSent(
                    **common,
                    total=row["total"],
                    currency=row["currency"],
                    valid_until=row["valid_until"],
                    held_until=row["held_until"],
                ),
                row["sent_at"],
                owner,
            )
        if not last:
            by_label = f"{deal.no} rev {revision_letter(rev + 1)}"
            revised = events.QuoteRevised(**common, by_label=by_label)
            self.facts.add(revised, row["closed_at"], owner)
            return
        if deal.opened_at is not None:
            self.facts.add(events.QuoteOpened(**common), deal.opened_at, deal.buyer)
        if deal.closed_at is None:
            return
        if deal.state is QuoteState.ACCEPTED:
            accepted = events.QuoteAccepted(
                **common,
                order_id=deal.order_id,
                by_name=deal.buyer.name,
                order_no=deal.order_no,
                customer_po=deal.customer_po,
            )
            self.facts.add(accepted, deal.closed_at, deal.buyer)
        elif deal.reason is not None:
            lost = events.QuoteLost(
                **common,
                reason=deal.reason.value,
                reason_text=LOSS_WORDS[deal.reason],
                comment=deal.comment,
            )
            self.facts.add(lost, deal.closed_at, owner)
        elif deal.state is QuoteState.EXPIRED:
            expired = events.QuoteExpired(**common, valid_until=row["valid_until"])
            self.facts.add(expired, deal.closed_at, SYSTEM)


def earlier(scene: Scene, deal: Deal, rev: int, last: int) -> list[Wish]:
    """The lines of an earlier revision: a later date, less discount, or another quantity."""
    rng = scene.rng("revision", deal.no, rev)
    back = last - rev
    lines = [replace(line) for line in deal.lines]
    changed = lines[rng.randrange(len(lines))]
    if changed.promised_on is not None:
        changed.promised_on += dt.timedelta(days=7 * back)
    for line in lines:
        line.discount_pct = max(Decimal(0), line.discount_pct - 2 * back)
    other = lines[rng.randrange(len(lines))]
    _resize(scene, deal, other, rng)
    return lines


def _resize(scene: Scene, deal: Deal, line: Wish, rng: random.Random) -> None:
    qty = Decimal(max(1, int(line.qty * rng.choice((50, 75, 125, 150)) / 100)))
    price = scene.price(deal.customer, line.item_id, qty)
    if price is not None:
        line.qty, line.list_price = qty, price
