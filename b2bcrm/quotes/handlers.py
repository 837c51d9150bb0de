"""Mails that follow from a quote's facts: to the customer with the PDF, and to the sales owner.

The PDF is made in ``send``, where no Work is open, from the sealed content, and kept with the
account's documents in ``record``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from b2bcrm.customers.models import Account, Contact
from b2bcrm.documents.contents import QuoteContent
from b2bcrm.documents.environment import known_locale
from b2bcrm.documents.mails import compose
from b2bcrm.documents.papers import PDF, quote_file_name, quote_pdf
from b2bcrm.files import actions as files
from b2bcrm.files import queries as file_queries
from b2bcrm.files.kinds import FileKind
from b2bcrm.kernel.errors import CrmError, Refused
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.mail import Attachment, Mailer
from b2bcrm.quotes import events
from b2bcrm.quotes.models import Inquiry, Quote
from b2bcrm.quotes.queries import sealed_content
from b2bcrm.users.models import User


@dataclass(frozen=True)
class QuoteLetter:
    """What ``mail.quote`` sends."""

    to: str
    content: QuoteContent
    seal: str
    url: str
    reply_to: str
    message_id: str


@dataclass(frozen=True)
class MailQuote:
    """Sends a quote to its contact in the document's language, with the PDF."""

    mailer: Mailer
    base_url: str
    files_dir: Path
    name: str = "mail.quote"

    def prepare(self, work: Work, event: Event) -> QuoteLetter | None:
        """None when a newer revision has taken its place meanwhile."""
        quote = work.session.get_one(Quote, event.subject_id)
        if not quote.current:
            return None
        contact = work.session.get(Contact, quote.contact_id) if quote.contact_id else None
        if contact is None or not contact.email:
            raise Refused(Message("The contact has no e-mail address."), code="no_contact")
        owner = work.session.get(User, quote.owner_id) if quote.owner_id else None
        return QuoteLetter(
            to=contact.email,
            content=sealed_content(quote),
            seal=quote.seal,
            url=f"{self.base_url}/portal/quotes/{quote.no}",
            reply_to=owner.email if owner else "",
            message_id=f"quote-{quote.no}-{quote.rev}",
        )

    def send(self, message: QuoteLetter, *, again: bool) -> bytes:  # noqa: ARG002 - a repeat has the same id
        """Answers the PDF that was attached."""
        content = quote_pdf(message.content, message.seal)
        mail = compose(
            "quote_sent",
            message.content.language,
            to=[message.to],
            message_id=message.message_id,
            reply_to=message.reply_to,
            attachments=[Attachment(quote_file_name(message.content), PDF, content)],
            content=message.content,
            url=message.url,
        )
        self.mailer.send(mail)
        return content

    def record(self, work: Work, event: Event, reply: bytes) -> None:
        """Keep the document, once."""
        quote = work.session.get_one(Quote, event.subject_id)
        kept = file_queries.of_subject(work, "quote", quote.id)
        if any(row.kind == FileKind.QUOTE for row in kept):
            return
        files.store(
            work,
            files_dir=self.files_dir,
            name=quote_file_name(sealed_content(quote)),
            content=reply,
            subject="quote",
            subject_id=quote.id,
            kind=FileKind.QUOTE.value,
            account_id=quote.account_id,
        )

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """The delivery's own row says why; the quote's page watches for changes."""
        del error, parked
        work.bump(f"quote:{event.subject_id}")


@dataclass(frozen=True)
class OwnerNote:
    """What ``mail.sales_owner`` sends."""

    to: str
    locale: str
    headline: Message
    facts: tuple[tuple[Message, Any], ...]
    text: str
    url: str
    message_id: str


@dataclass(frozen=True)
class MailSalesOwner:
    """Tells the sales owner that an inquiry came in, or that a customer accepted or declined."""

    mailer: Mailer
    base_url: str
    name: str = "mail.sales_owner"

    def prepare(self, work: Work, event: Event) -> OwnerNote | None:
        """None when there is nobody to tell, or when the owner did it himself."""
        if isinstance(event, events.InquiryReceived):
            inquiry = work.session.get_one(Inquiry, event.subject_id)
            if inquiry.channel.value != "portal":
                return None
            return self._note(
                work,
                event,
                owner_id=inquiry.owner_id,
                facts=((Message("Subject"), inquiry.subject),),
                text=inquiry.text,
                path=f"/inquiries/{inquiry.no}",
            )
        quote = work.session.get_one(Quote, event.subject_id)
        if isinstance(event, events.QuoteLost) and not event.by_customer:
            return None
        accepted = isinstance(event, events.QuoteAccepted)
        facts: tuple[tuple[Message, Any], ...] = (
            (Message("Total"), f"{quote.currency} {quote.total:,f}".rstrip("0").rstrip(".")),
        )
        if accepted and quote.customer_po:
            facts = (*facts, (Message("Customer's order no."), quote.customer_po))
        return self._note(
            work,
            event,
            owner_id=quote.owner_id,
            facts=facts,
            text=quote.loss_comment,
            path=f"/quotes/{quote.no}",
        )

    def _note(
        self,
        work: Work,
        event: Event,
        *,
        owner_id: int | None,
        facts: Sequence[tuple[Message, Any]],
        text: str,
        path: str,
    ) -> OwnerNote | None:
        owner = work.session.get(User, owner_id) if owner_id is not None else None
        if owner is None or not owner.active:
            return None
        account = work.session.scalar(sa.select(Account.name).where(Account.id == event.account_id))
        return OwnerNote(
            to=owner.email,
            locale=known_locale(owner.locale),
            headline=event.sentence(),
            facts=((Message("Customer"), account or ""), *(f for f in facts if f[1])),
            text=text,
            url=f"{self.base_url}{path}",
            message_id=f"{event.name}-{event.subject_id}",
        )

    def send(self, message: OwnerNote, *, again: bool) -> None:  # noqa: ARG002 - a repeat has the same id
        """One short mail."""
        self.mailer.send(
            compose(
                "note_to_owner",
                message.locale,
                to=[message.to],
                message_id=message.message_id,
                headline=message.headline,
                facts=message.facts,
                text=message.text,
                url=message.url,
            )
        )

    def record(self, work: Work, event: Event, reply: None) -> None:
        """Nothing to write down: the delivery's row says it was sent."""

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """Nothing to write down: the delivery's row says why."""
