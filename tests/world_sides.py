"""What one customer has: masters, quotes, orders, deliveries, cases, touches, all with his tag.

``tests.worlds`` joins two of them. What must stay inside carries a word of its own: ``NOTE``,
``SUPPLIER``, ``CAUSE``; costs are recognised by ``COST_FIGURES``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog.models import BomRow, Item, ItemKind, WorkCenter
from b2bcrm.customers.models import Account, CustomerPart, Touch, TouchKind
from b2bcrm.documents.papers import quote_pdf
from b2bcrm.files import actions as files
from b2bcrm.files.kinds import FileKind
from b2bcrm.fulfillment import actions as fulfillment
from b2bcrm.fulfillment.actions import Promises
from b2bcrm.fulfillment.models import (
    Invoice,
    Operation,
    PromiseNotice,
    PurchaseLine,
    Shipment,
    ShipmentLine,
    Stock,
    WorkOrder,
)
from b2bcrm.kernel.actor import Actor
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import actions as orders
from b2bcrm.orders.lifecycle import ErpSync, OrderState
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.quotes import actions as quotes
from b2bcrm.quotes import queries as quote_queries
from b2bcrm.quotes.actions import Wish
from b2bcrm.quotes.lifecycle import LossReason
from b2bcrm.service import actions as service
from b2bcrm.service import queries as cases
from b2bcrm.service.lifecycle import CaseCause, CaseKind
from b2bcrm.service.models import Case
from tests.factories import make_account, make_item, make_line, make_order, make_price

D = Decimal
FOREIGN = "CANARYB7"
NOTE, SUPPLIER, CAUSE = "CANARYNOTE", "CANARYSUP", "CANARYCAUSE"
COST = D("47911.37")
# The cost of a piece and of seven in TWD and EUR, the margin in EUR and percent, as written.
COST_FIGURES = re.compile(
    r"(?<![\w.,])(47,?911|1,?327[.]1|335,?379|9,?290[.]2|25,?709[.]7|73[.]5 ?%|73[.]46)"
)
PRICE = D(5000)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
QTY = D(7)
LONG_AGO = dt.timedelta(days=90)  # longer than any quote is valid


@dataclass
class Side:
    """One account and a name for everything of it that an address can ask for."""

    tag: str
    account: int = 0
    contact: int = 0
    buyer: Actor | None = None
    item: str = ""
    orders: dict[str, str] = field(default_factory=dict)
    line: int = 0
    request: int = 0
    notice: int = 0
    quotes: dict[str, tuple[int, str]] = field(default_factory=dict)
    seals: dict[str, str] = field(default_factory=dict)
    inquiries: dict[str, tuple[int, str]] = field(default_factory=dict)
    cases: dict[str, str] = field(default_factory=dict)
    shipment: int = 0
    unconfirmed: int = 0
    files: dict[str, int] = field(default_factory=dict)

    @property
    def numbers(self) -> list[str]:
        """Every number by which people call a document of this side."""
        return [
            *self.orders.values(),
            *(no for _id, no in self.quotes.values()),
            *(no for _id, no in self.inquiries.values()),
            *self.cases.values(),
            f"DN-{self.tag}",
            f"INV-{self.tag}",
        ]


@contextmanager
def acting(work: Work, actor: Actor | None) -> Iterator[None]:
    assert actor is not None
    before, work.actor = work.actor, actor
    try:
        yield
    finally:
        work.actor = before


def make_masters(work: Work, side: Side) -> None:
    tag = side.tag
    account = make_account(
        work, name=f"{tag} Maschinenbau GmbH", short_name=f"{tag} MB", city=f"Stadt {tag}",
        erp_id=f"C-{tag}", tax_id=f"TAX-{tag}", address=f"{tag}-Strasse", sales_rep=f"Rep {tag}",
        payment_terms=f"30 days {tag}", incoterm_place=f"Ort {tag}", credit_as_of=work.now,
    )  # fmt: skip
    door, person = account.ship_tos[0], account.contacts[0]
    door.name, door.street, door.city = f"Werk {tag}", f"{tag} 1", f"Stadt {tag}"
    person.name, person.role = f"Jonas {tag}", f"Buyer {tag}"
    person.email = f"jonas.{tag.lower()}@kunde.example"
    item = make_item(
        work, no=f"PG-{tag}", name=f"Gearbox {tag}", name_zh_hant=f"減速機 {tag}",
        name_zh_hans=f"减速机 {tag}", spec=f"spec {tag}", standard_cost=COST,
    )  # fmt: skip
    make_price(work, item, unit_price=PRICE)
    make_item(
        work, no=f"RAW-{CAUSE}-{tag}", name=f"Ring {CAUSE} {tag}", kind=ItemKind.BUY,
        sellable=False, lead_time_days=30, standard_cost=COST,
    )  # fmt: skip
    work.session.add_all(
        [
            BomRow(item_no=item.no, component_no=f"RAW-{CAUSE}-{tag}", qty_per=D(1), unit="pcs"),
            CustomerPart(account_id=account.id, item_id=item.id, part_no=f"KT-{tag}"),
            Stock(item_no=item.no, site_code="TC", on_hand=D(60), allocated=D(7), as_of=work.now),
        ]
    )
    work.session.flush()
    side.account, side.contact, side.item = account.id, account.contacts[0].id, item.no


def sell(work: Work, side: Side) -> None:
    """Inquiries in each state; a quote in each state; the order of the accepted one."""
    promises, tag = Promises(work), side.tag
    with acting(work, side.buyer):
        for key in ("open", "quoted", "declined"):
            wishes = [Wish(part=f"KT-{tag}", text=f"wish {tag}", qty=QTY)]
            row = quotes.create_inquiry(
                work, wishes=wishes, text=f"Please offer {tag}", subject=f"Inquiry {tag}"
            )
            side.inquiries[key] = (row.id, row.no)
    work.session.flush()
    quotes.decline_inquiry(work, side.inquiries["declined"][0], reason=f"{NOTE} {tag}")
    first = quotes.quote_from_inquiry(work, side.inquiries["quoted"][0], promises=promises)
    made = {"accepted": first}
    now = work.now
    for key in ("draft", "sent", "lost", "revised", "expired"):
        work.now = now - LONG_AGO if key == "expired" else now
        made[key] = quotes.new_quote(work, account_id=side.account, promises=promises)
        work.session.flush()
        quotes.add_line(work, made[key].id, part=side.item, qty=QTY, promises=promises)
    for key, quote in made.items():
        work.now = now - LONG_AGO if key == "expired" else now
        work.session.flush()
        quote.contact_id, quote.note = side.contact, f"Text for {tag}"
        if key != "draft":
            quotes.send(work, quote.id, promises=promises)
        side.quotes[key], side.seals[key] = (quote.id, quote.no), quote.seal
    work.now = now
    work.session.flush()
    with acting(work, side.buyer):
        order = quotes.accept(
            work, first.id, seal=first.seal, name=f"Jonas {tag}", promises=promises,
            customer_po=f"PO-{tag}",
        )  # fmt: skip
    quotes.mark_lost(
        work, made["lost"].id, reason=LossReason.PRICE, promises=promises,
        competitor=f"{NOTE} rival", comment=f"{NOTE} {tag}",
    )  # fmt: skip
    quotes.revise(work, made["revised"].id, promises=promises)
    quotes.expire(work, promises=promises)
    work.session.flush()
    order.erp_no, order.erp_sync = f"E-{tag}-1", ErpSync.ACCEPTED
    side.orders["running"] = order.no


def _order(work: Work, side: Side, key: str, **facts: Any) -> Order:
    account = work.session.get_one(Account, side.account)
    item = work.session.scalars(sa.select(Item).where(Item.no == side.item)).one()
    shipped = facts.pop("shipped_qty", D(0))
    line = make_line(
        work, item, description=f"Gearbox {side.tag}", customer_part_no=f"KT-{side.tag}",
        unit_price=PRICE, shipped_qty=shipped, delivered_qty=shipped, produced_qty=shipped,
        planned_on=dt.date(2026, 12, 14),
    )  # fmt: skip
    values = {"customer_po": f"PO-{side.tag}-{key}", "erp_no": f"E-{side.tag}-{key}"}
    order = make_order(work, account, lines=[line], **(values | facts))
    side.orders[key] = order.no
    return order


def make(work: Work, side: Side) -> None:
    """Orders in every state, and the documents that hold the late one up."""
    tag, today = side.tag, work.today
    _order(work, side, "submitted", state=OrderState.SUBMITTED, erp_no=None, erp_sync=ErpSync.NONE)
    _order(work, side, "held", hold_reason=f"{CAUSE} hold", held_at=work.now)
    _order(work, side, "refused", erp_sync=ErpSync.REFUSED, erp_no=None,
           erp_reason=Message("%(what)s", what=f"{CAUSE} refused"))  # fmt: skip
    _order(work, side, "cancelled", state=OrderState.CANCELLED)
    closed = {"state": OrderState.CLOSED, "closed_at": work.now, "shipped_qty": D(10)}
    _order(work, side, "closed", **closed)
    _order(work, side, "delivered", shipped_qty=D(6))
    late = _order(work, side, "late")
    side.line = late.lines[0].id
    fulfillment.change_promise(
        work, late.lines[0].id, expected_version=None, promised_on=dt.date(2026, 12, 18),
        reason_code="material", text=f"{CAUSE} moved",
    )  # fmt: skip
    side.notice = work.session.scalars(
        sa.select(PromiseNotice.id).where(PromiseNotice.order_line_id == side.line)
    ).one()
    side.request = fulfillment.ask_for_approval(
        work, side.line, promised_on=dt.date(2026, 12, 21), reason_code="material",
        text=f"{CAUSE} asked",
    ).id  # fmt: skip
    orders.hold(work, late.id, expected_version=None, reason=f"{CAUSE} look")
    orders.release(work, late.id, expected_version=None)
    if work.session.scalar(sa.select(WorkCenter.id).limit(1)) is None:
        work.session.add(
            WorkCenter(code="WC1", name="Turning centre", site_code="TC", station="turning",
                       hours_per_day=D(8), calendar_code="TW")
        )  # fmt: skip
    make = WorkOrder(
        no=f"WO-{tag}", item_no=side.item, site_code="TC", qty=D(10), status="released",
        planned_start_on=today, planned_end_on=today + dt.timedelta(days=20),
        first_planned_end_on=today + dt.timedelta(days=20), demand_ref=f"E-{tag}-late/10",
    )  # fmt: skip
    make.operations = [
        Operation(
            step_no=step,
            name=f"{CAUSE} step {step}",
            work_center="WC1",
            station="turning",
            status="open",
            planned_start_on=today,
            planned_end_on=today + dt.timedelta(days=step),
        )
        for step in (10, 20)
    ]
    work.session.add_all(
        [
            make,
            PurchaseLine(
                po_no=f"PUR-{tag}", line_no=1, supplier_no=f"S-{SUPPLIER}",
                supplier_name=f"{SUPPLIER} Steel {tag}", site_code="TC",
                item_no=f"RAW-{CAUSE}-{tag}", qty=D(10), ordered_on=today,
                requested_on=today + dt.timedelta(days=10),
                first_confirmed_on=today + dt.timedelta(days=10),
                confirmed_on=today + dt.timedelta(days=60), status="open", demand_ref=f"WO-{tag}",
            ),
        ]
    )  # fmt: skip


def deliver(work: Work, side: Side) -> None:
    """One receipt confirmed, one open; an invoice of each."""
    tag = side.tag
    no = side.orders["delivered"]
    order = work.session.scalars(sa.select(Order).where(Order.no == no)).one()
    line_id = work.session.scalar(sa.select(OrderLine.id).where(OrderLine.order_id == order.id))
    for n, qty in ((1, D(4)), (2, D(2))):
        shipment = Shipment(
            no=f"DN-{tag}-{n}", account_id=side.account, shipped_on=work.today,
            delivered_on=work.today, carrier=f"Carrier {tag}", tracking_no=f"TRACK-{tag}-{n}",
        )  # fmt: skip
        shipment.lines = [ShipmentLine(order_line_id=line_id, qty=qty)]
        work.session.add(shipment)
        work.session.add(
            Invoice(
                no=f"INV-{tag}-{n}", account_id=side.account, order_id=order.id,
                shipment_no=shipment.no, invoiced_on=work.today, due_on=work.today,
                currency="EUR", total=D(20000), open_amount=D(20000),
            )
        )  # fmt: skip
        work.session.flush()
        side.unconfirmed = shipment.id
        if n == 1:
            side.shipment = shipment.id
            with acting(work, side.buyer):
                fulfillment.confirm_receipt(work, shipment.id)
    side.line = line_id


def serve(work: Work, side: Side, folder: Path) -> None:
    """Cases in each state with messages, notes and files on both sides of the glass."""
    tag = side.tag
    rows: dict[str, Case] = {}
    for key in ("open", "answered", "solved", "closed"):
        with acting(work, side.buyer):
            rows[key] = service.open_case(
                work, side.line, kind=CaseKind.COMPLAINT, subject=f"Noise {tag}",
                text=f"It is loud, {tag}.", affected_qty=D(1), serial_nos=f"SN-{tag}",
            )  # fmt: skip
        side.cases[key] = rows[key].no
        note = service.note(work, rows[key].id, f"{NOTE} {tag}")
        _file(work, side, folder, f"{key}-inside", f"{NOTE}-{key}.png", subject=cases.NOTE_FILES,
              subject_id=note.id, internal=True)  # fmt: skip
    for key in ("answered", "solved", "closed"):
        message = service.answer(work, rows[key].id, f"Thank you, {tag}.", expected_version=None)
        work.session.flush()
        _file(work, side, folder, f"{key}-outside", f"answer-{key}-{tag}.png",
              subject=cases.MESSAGE_FILES, subject_id=message.id)  # fmt: skip
    for key in ("solved", "closed"):
        service.solve(
            work, rows[key].id, solution=f"New bearing for {tag}.", cause=CaseCause.INSTALLATION,
            expected_version=None,
        )  # fmt: skip
    with acting(work, side.buyer):
        service.close(work, rows["closed"].id, expected_version=None)
    sent = quote_queries.by_id(work, side.quotes["sent"][0])
    paper = quote_pdf(quote_queries.sealed_content(sent), sent.seal)
    _file(work, side, folder, "paper", f"{sent.no}.pdf", subject="quote", subject_id=sent.id,
          kind=FileKind.QUOTE, content=paper)  # fmt: skip
    _file(work, side, folder, "quote", f"quote-{tag}.png", subject="quote",
          subject_id=side.quotes["sent"][0], kind=FileKind.CERTIFICATE)  # fmt: skip
    _file(work, side, folder, "inquiry", f"drawing-{tag}.png", subject="inquiry",
          subject_id=side.inquiries["open"][0], kind=FileKind.INQUIRY)  # fmt: skip


def _file(
    work: Work, side: Side, folder: Path, key: str, name: str, *, subject: str, subject_id: int,
    kind: str = FileKind.ATTACHMENT, internal: bool = False, content: bytes = b"",
) -> None:  # fmt: skip
    order_id = work.session.scalar(sa.select(Order.id).where(Order.no == side.orders["delivered"]))
    word = NOTE if internal else side.tag
    row = files.store(
        work, files_dir=folder, name=name, content=content or PNG + f"{word} {side.tag}".encode(),
        subject=subject, subject_id=subject_id, kind=kind, account_id=side.account,
        order_id=order_id, internal=internal,
    )  # fmt: skip
    side.files[key] = row.id


def talk(work: Work, side: Side) -> None:
    order_id = work.session.scalar(sa.select(Order.id).where(Order.no == side.orders["late"]))
    for n, kind in enumerate(TouchKind):
        work.session.add(
            Touch(
                account_id=side.account, contact_id=side.contact, order_id=order_id, kind=kind,
                at=work.now - dt.timedelta(days=n), subject=f"{NOTE} {side.tag}",
                text=f"{NOTE} said, {side.tag}",
            )
        )  # fmt: skip
    work.session.flush()
