"""The order acknowledgement: a PDF by mail, kept with the order's documents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account, Contact, ShipTo
from b2bcrm.documents.contents import Customer, Line, OrderContent, Terms, firm_of, second_name
from b2bcrm.documents.environment import known_locale
from b2bcrm.documents.mails import compose
from b2bcrm.documents.papers import PDF, order_file_name, order_pdf
from b2bcrm.files import actions as files
from b2bcrm.files import queries as file_queries
from b2bcrm.files.kinds import FileKind
from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.ports.mail import Attachment, Mailer
from b2bcrm.sync.connections import must_be_silent
from b2bcrm.users.models import User


@dataclass(frozen=True)
class Letter:
    """What ``mail.order_confirmed`` sends; ``to`` is empty where nobody has an address."""

    to: str
    content: OrderContent
    url: str
    reply_to: str


@dataclass(frozen=True)
class MailAcknowledgement:
    """Sends the acknowledgement of a confirmed or amended order to the customer."""

    mailer: Mailer
    base_url: str
    files_dir: Path
    name: str = "mail.order_confirmed"

    def prepare(self, work: Work, event: Event) -> Letter | None:
        """The document as the order now stands; only kept while customers are not told.

        None for a cancelled order, and once an amendment follows that gets a document itself.
        """
        order = queries.by_id(work, event.subject_id)
        if order.state is OrderState.CANCELLED or self._followed(work, event):
            return None
        made = letter(work, order, self.base_url)
        silent = must_be_silent(
            work,
            queries.connection_of(work, order),
            stream=f"order:{order.id}",
            handler=self.name,
        )
        return replace(made, to="") if silent else made

    def _followed(self, work: Work, event: Event) -> bool:
        """Whether a later fact waits for this handler (a moved promise has a mail of its own)."""
        query = sa.select(Delivery.payload).where(
            Delivery.stream == f"{event.subject}:{event.subject_id}", Delivery.handler == self.name
        )
        mine = getattr(event, "amendment_no", 0)
        return any(row["amendment_no"] > mine for row in work.session.scalars(query))

    def send(self, message: Letter, *, again: bool) -> tuple[str, bytes]:  # noqa: ARG002 - a repeat has the same id
        """Answers the document's name and PDF."""
        name, pdf = order_file_name(message.content), order_pdf(message.content)
        if message.to:
            self.mailer.send(
                compose(
                    "order_confirmed",
                    message.content.language,
                    to=[message.to],
                    message_id=f"order-{message.content.no}-{message.content.amendment}",
                    reply_to=message.reply_to,
                    attachments=[Attachment(name, PDF, pdf)],
                    content=message.content,
                    url=message.url,
                )
            )
        return name, pdf

    def record(self, work: Work, event: Event, reply: tuple[str, bytes]) -> None:
        """Keep the document, once per amendment."""
        name, pdf = reply
        kept = file_queries.of_subject(work, "order", event.subject_id)
        if any(row.name == name for row in kept):
            return
        files.store(
            work,
            files_dir=self.files_dir,
            name=name,
            content=pdf,
            subject="order",
            subject_id=event.subject_id,
            kind=FileKind.ACKNOWLEDGEMENT.value,
            account_id=event.account_id,
            order_id=event.subject_id,
        )
        work.bump(f"order:{event.subject_id}")

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """The delivery's own row says why; the order's page watches for changes."""
        del error, parked
        work.bump(f"order:{event.subject_id}")


def letter(work: Work, order: Order, base_url: str) -> Letter:
    """The acknowledgement of ``order`` in its customer's language."""
    query = (
        sa.select(Account, Company, Contact, ShipTo, User)
        .select_from(Order)
        .join(Account, Account.id == Order.account_id)
        .join(Company, Company.id == Order.company_id)
        .outerjoin(Contact, Contact.id == Order.contact_id)
        .outerjoin(ShipTo, ShipTo.id == Order.ship_to_id)
        .outerjoin(User, User.id == Order.owner_id)
        .where(Order.id == order.id)
    )
    account, company, *others = work.session.execute(query).one()
    contact, ship_to, owner = cast(tuple[Contact | None, ShipTo | None, User | None], others)
    ids = [line.item_id for line in order.lines]
    items = {i.id: i for i in work.session.scalars(sa.select(Item).where(Item.id.in_(ids)))}
    locale = known_locale(account.language)
    content = OrderContent(
        no=order.no,
        amendment=order.amendment_no,
        language=locale,
        issued_on=work.today,
        ordered_on=order.ordered_on,
        customer_po=order.customer_po,
        currency=order.currency,
        firm=firm_of(company, locale),
        customer=Customer(
            name=account.name,
            address=account.full_address,
            tax_id=account.tax_id,
            contact=contact.name if contact else "",
            contact_role=contact.role if contact else "",
            ship_to=ship_to.full_address if ship_to else "",
        ),
        clerk=owner.name if owner else "",
        lines=tuple(
            _line(line, items[line.item_id], locale) for line in order.lines if not line.cancelled
        ),
        terms=Terms(
            incoterm=order.incoterm,
            incoterm_place=order.incoterm_place,
            payment=order.payment_terms,
            partial_delivery=order.partial_delivery,
            note=order.note,
        ),
        total=order.total,
    )
    return Letter(
        to=contact.email if contact else "",
        content=content,
        url=f"{base_url}/portal/orders/{order.no}",
        reply_to=owner.email if owner else "",
    )


def _line(line: OrderLine, item: Item, locale: str) -> Line:
    name = item.name_in(locale)
    return Line(
        line_no=line.line_no,
        item_no=item.no,
        name=name,
        name_second=second_name(name, item.name, locale),
        spec=item.spec,
        customer_part_no=line.customer_part_no,
        qty=line.ordered_qty,
        unit=line.unit,
        unit_price=line.unit_price,
        discount_pct=line.discount_pct,
        net=line.net,
        wanted_on=line.requested_on,
        ready_on=line.promised_on,
    )
