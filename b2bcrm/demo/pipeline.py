"""What is still open today: sent quotes, drafts, inquiries, and two prospects without a number.

Some are told: those of the design's pictures. Dates come from the promise engine itself.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from b2bcrm.customers.models import Account, Contact, ShipTo
from b2bcrm.demo import phrases
from b2bcrm.demo.deals import Asked, Deal, Desk, Wish
from b2bcrm.demo.orders import OrderBook
from b2bcrm.demo.past import new_lines
from b2bcrm.demo.scene import Customer, Scene, at
from b2bcrm.files.actions import store
from b2bcrm.files.kinds import FileKind
from b2bcrm.fulfillment.actions import Promises
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.promise import AskLine, Mode
from b2bcrm.quotes.lifecycle import Channel, InquiryState, QuoteState

OPEN = {"small": (12, 3, 3), "demo": (60, 8, 6), "large": (300, 30, 20)}
_LATEST_AGE = 19  # working days: an older one would have run out
_MINUTES = (9 * 60, 16 * 60)
_PROJECTS = 0.45  # share of the open quotes that are for machines built in later quarters
_MACHINES = (4, 9)  # a project's machines, built one after the other
_MACHINE_LINE = (400_000, 1_300_000)  # TWD: what one machine takes of an item
_CALLED = 3  # items that are wanted again and again
_MONTHS = (1, 1, 2, 3, 4, 6)  # every other quote is for months, called off piece by piece


@dataclass(frozen=True)
class _Told:
    """``ages``: working days ago of each revision; a draft's last one is not sent."""

    no: int
    customer: str
    ages: tuple[int, ...]
    win_pct: int
    decision_in: int
    wanted_in: int
    lines: tuple[tuple[str, int, int], ...]
    draft: bool = False
    note: str = ""


_TOLD = (
    _Told(2231, "20417", (8, 1), 70, 10, 75,
          (("PG-142-05-S1", 60, 5), ("SW-25-100-U", 80, 5), ("BS-R40-20-C5-1480", 30, 5))),
    _Told(2204, "20417", (6,), 35, 40, 120, (("SW-25-100-U", 140, 3),)),
    _Told(2170, "20417", (13,), 15, 12, 90, (("RT-320-HR", 6, 0),)),
    _Told(2217, "20463", (16, 7, 1), 60, 17, 59,
          (("PG-142-05-S1", 48, 3), ("BS-R32-10-C3-0960", 24, 0), ("SW-17-080-U", 48, 14),
           ("LG-25HA-2-0800", 96, 0), ("SRV-COMM-02", 1, 0)), draft=True,
          note="Lines 10, 20 and 40 can ship earlier if part delivery is welcome."),
    _Told(2209, "30477", (9,), 50, 60, 85, (("SW-25-100-U", 100, 5), ("PG-115-10-S2", 40, 5))),
    _Told(2198, "20491", (7,), 80, 3, 60, (("SW-17-080-U", 120, 3), ("PG-115-05-S1", 60, 3))),
    _Told(2187, "10455", (5,), 30, 20, 73,
          (("RT-250-HR", 12, 0), ("PG-115-05-S1", 12, 0), ("BS-R40-10-C3-1260", 24, 0),
           ("SRV-COMM-02", 1, 0))),
)  # fmt: skip
_PROSPECTS = (
    ("Alpenwerk Robotik GmbH", "Alpenwerk", "DE", "Kempten", "EUR", "en", "Lena Hofer"),
    ("鼎信自動化股份有限公司", "鼎信自動化", "TW", "新竹市", "TWD", "zh_Hant", "江明哲"),
)


def add_prospects(work: Work, company_id: int, owner_id: int) -> None:
    """Two companies that the ERP does not know yet."""
    for n, (name, short, country, city, currency, language, contact) in enumerate(_PROSPECTS, 1):
        email = f"purchasing@prospect-{n}.example"
        work.session.add(
            Account(
                company_id=company_id,
                name=name,
                short_name=short,
                country=country,
                city=city,
                language=language,
                currency=currency,
                price_list="STD",
                payment_terms="NET30",
                incoterm="DAP",
                incoterm_place=city,
                owner_id=owner_id,
                sales_rep="Mei-Ling Lin",
                ship_tos=[ShipTo(code="01", name=short, city=city, country=country)],
                contacts=[Contact(name=contact, email=email, role="purchasing")],
            )
        )
    work.session.flush()  # flush: the scene reads them


def open_deals(scene: Scene, book: OrderBook, size: str) -> list[Deal]:
    """Sent and drafted quotes that wait for a decision; their lines have no dates yet."""
    sent, drafts, _ = OPEN[size]
    deals = [deal for told in _TOLD if (deal := _told(scene, told)) is not None]
    sent -= sum(deal.state is QuoteState.SENT for deal in deals)
    drafts -= sum(deal.state is QuoteState.DRAFT for deal in deals)
    recent = [o for o in book.orders if o.ours and o.row["ordered_on"].year >= scene.today.year - 1]
    for n in range(sent + drafts):
        rng = scene.rng("open", n)
        for _ in range(20):
            like = rng.choice(recent)
            customer = scene.customers[like.row["account_id"]]
            lines = new_lines(scene, rng, customer, like, scene.today)
            if lines and not customer.account.credit_hold:
                deals.append(_open(scene, rng, customer, lines, draft=n >= sent))
                break
    return deals


def _told(scene: Scene, told: _Told) -> Deal | None:
    customer = scene.by_erp_id.get(told.customer)
    if customer is None:
        return None
    wanted = scene.today + dt.timedelta(days=told.wanted_in)
    lines: list[Wish] = []
    for no, qty, discount in told.lines:
        item_id = scene.item_ids.get(no)
        price = scene.price(customer, item_id, Decimal(qty)) if item_id else None
        if item_id is not None and price is not None:
            wish = Wish(item_id, Decimal(qty), price, Decimal(discount), wanted, None)
            wish.line_no = 10 * (len(lines) + 1)
            lines.append(wish)
    if not lines:
        return None
    rng = scene.rng("told", told.no)
    deal = _begin(scene, rng, customer, lines, told.ages, draft=told.draft)
    deal.win_pct, deal.fixed_no, deal.note = told.win_pct, told.no, told.note
    deal.decision_on = scene.today + dt.timedelta(days=told.decision_in)
    return deal


def _open(
    scene: Scene, rng: random.Random, customer: Customer, lines: list[Wish], *, draft: bool
) -> Deal:
    last = rng.randint(1, 5 if draft else _LATEST_AGE)
    revisions = rng.choices((1, 2, 3), (70, 23, 7))[0]
    ages = tuple(last + 4 * n for n in reversed(range(revisions)))
    project = rng.random() < _PROJECTS
    ahead = rng.randint(*((70, 200) if project else (25, 150)))
    times, apart = rng.choice(_MONTHS), 28
    if project:
        times, apart = rng.randint(*_MACHINES), rng.choice((14, 21, 28))
        rate = scene.rate(customer.account.currency, scene.today)
        for line in lines:
            if scene.items[line.item_id].family != "KIT":
                worth = rng.randint(*_MACHINE_LINE) / (line.list_price * rate)
                line.qty = max(Decimal(1), round(worth, 0))
                line.list_price = scene.price(customer, line.item_id, line.qty) or line.list_price
    days = [scene.today + dt.timedelta(days=ahead + n * apart) for n in range(times)]
    lines = [
        replace(line, wanted_on=day, promised_on=None)
        for day in days
        for line in (lines[:_CALLED] if times > 1 else lines)
    ]
    for n, line in enumerate(lines, 1):
        line.line_no = 10 * n
    deal = _begin(scene, rng, customer, lines, ages, draft=draft)
    deal.win_pct = rng.choice((10, 20, 30, 40, 50, 60, 70, 80, 90)[: 7 if project else 9])
    deal.decision_on = scene.today + dt.timedelta(days=rng.randint(3, min(75, ahead - 20)))
    return deal


def _begin(
    scene: Scene,
    rng: random.Random,
    customer: Customer,
    lines: list[Wish],
    ages: Sequence[int],
    *,
    draft: bool,
) -> Deal:
    begun = [at(customer.calendar.add_days(scene.today, -age), rng.randint(*_MINUTES))
             for age in ages]  # fmt: skip
    sent = [moment + dt.timedelta(minutes=rng.randint(10, 45)) for moment in begun]
    deal = Deal(
        customer=customer,
        lines=lines,
        begun=begun,
        sent=sent[:-1] if draft else sent,
        state=QuoteState.DRAFT if draft else QuoteState.SENT,
        buyer=customer.people[0],
        ship_to_id=next(iter(customer.ship_tos), None),
    )
    if not draft and rng.random() < 0.75:  # noqa: PLR2004 - three of four are opened
        deal.opened_at = sent[-1] + dt.timedelta(minutes=rng.randint(5, 240))
    if rng.random() < 0.8:  # noqa: PLR2004
        subject, text = phrases.inquiry(rng, customer.language, scene.items[lines[0].item_id])
        day = scene.past_workday(customer, scene.today, ages[0] + rng.randint(1, 3))
        login = deal.buyer.user_id is not None
        channel = Channel.PORTAL if login else rng.choice((Channel.MAIL, Channel.PHONE))
        deal.asked = Asked(at(day, rng.randint(*_MINUTES)), channel, subject, text)
    return deal


def enter_living(work: Work, desk: Desk, deals: Sequence[Deal]) -> None:
    """Date each open deal from the plan and write it down; what was sent these days is held.

    The oldest first, so that each one finds what the ones before it hold. A later wish is met on
    its day.
    """
    promises = Promises(work)
    for deal in sorted(deals, key=lambda d: d.begun[-1]):
        answers = promises.ask(_wishes(deal), Mode.QUOTE)
        for line, answer in zip(deal.lines, answers, strict=True):
            if answer.full_on is not None:
                line.promised_on = max(answer.full_on, line.wanted_on)
                early = answer.full_on < line.wanted_on
                line.reason = _as_wished(answer.full_on) if early else answer.reason
        if deal.state is QuoteState.SENT and any(ln.promised_on is None for ln in deal.lines):
            # Nothing is sent without a date for each line.
            deal.state, deal.sent, deal.opened_at = QuoteState.DRAFT, deal.sent[:-1], None
        desk.enter(deal)
        held = deal.held_until
        if deal.state is QuoteState.SENT and held is not None and held >= work.today:
            worst = {str(line.line_no): line.promised_on or dt.date.max for line in deal.lines}
            ref = f"{deal.no}/{len(deal.begun) - 1}"
            promises.hold(ref, _wishes(deal), held, at_worst=worst)


def _as_wished(full_on: dt.date) -> Message:
    return Message("as wished; it could be had from %(day)s on", day=full_on)


def _wishes(deal: Deal) -> list[AskLine]:
    account = deal.customer.account
    return [
        AskLine(
            ref=str(line.line_no),
            item_id=line.item_id,
            qty=line.qty,
            wanted_on=line.wanted_on,
            site_id=deal.customer.site.id,
            account_id=account.id,
        )
        for line in deal.lines
    ]


def waiting(scene: Scene, book: OrderBook, size: str) -> list[tuple[Customer, Asked, list[Wish]]]:
    """Inquiries that nobody has quoted yet; the first comes from a prospect."""
    found = []
    recent = [order for order in book.orders if order.ours][-400:]
    prospects = [c for c in scene.customers.values() if c.account.erp_id is None]
    for n in range(OPEN[size][2]):
        rng = scene.rng("waiting", n)
        like = rng.choice(recent)
        customer = prospects[0] if n == 0 else scene.customers[like.row["account_id"]]
        lines = new_lines(scene, rng, customer, like, scene.today)
        item_id = lines[0].item_id if lines else like.lines[0].row["item_id"]
        subject, text = phrases.inquiry(rng, customer.language, scene.items[item_id])
        login = customer.people[0].user_id is not None
        channel = Channel.PORTAL if login else Channel.MAIL
        hours = rng.uniform(0.5, 26)
        found.append(
            (customer, Asked(scene.now - dt.timedelta(hours=hours), channel, subject, text), lines)
        )
    return sorted(found, key=lambda row: row[1].received_at)


def enter_waiting(
    desk: Desk,
    inquiries: Sequence[tuple[Customer, Asked, list[Wish]]],
    numbers: Sequence[str],
) -> list[tuple[int, Customer]]:
    """Write them down; their ids."""
    return [
        (
            desk.ask(
                customer,
                asked,
                no=no,
                by=customer.people[0],
                lines=lines,
                state=InquiryState.OPEN,
                replied_at=None,
            ),
            customer,
        )
        for (customer, asked, lines), no in zip(inquiries, numbers, strict=True)
    ]


_ATTACHED = "position;item;quantity;wanted\n1;see drawing 77-1043;24;as soon as possible\n"


def attach(work: Work, files_dir: Path, inquiry_id: int, customer: Customer) -> None:
    """The customer's own list, as a file of the inquiry."""
    store(
        work,
        files_dir=files_dir,
        name="request-77-1043.csv",
        content=_ATTACHED.encode(),
        subject="inquiry",
        subject_id=inquiry_id,
        kind=FileKind.INQUIRY,
        account_id=customer.account.id,
    )
