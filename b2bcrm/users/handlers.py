"""Deliveries: the mail with a reset link, and what the ERP's administrators must know.

The link's secret is drawn when the mail is prepared and stands in the mail only.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from markupsafe import Markup

from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.words import Message, render
from b2bcrm.kernel.work import Work
from b2bcrm.ports.mail import Mail, Mailer
from b2bcrm.users.actions import new_reset_link
from b2bcrm.users.models import User

SUBJECT = Message("Choose a new password")
GREETING = Message("Hello %(name)s,")
TEXT = Message("Open this link within one hour to choose a new password.")
ERP_SUBJECT = Message("The ERP connection needs you")
IGNORE = Message("If you did not ask for this, you need not do anything.")


@dataclass(frozen=True)
class MailReset:
    """Sends the reset link. ``base_url`` is the public address without a slash at its end."""

    mailer: Mailer
    base_url: str
    name: str = "users.mail_reset"

    def prepare(self, work: Work, event: Event) -> Mail | None:
        """The mail in the person's language; None if he was blocked meanwhile."""
        user = work.session.get(User, event.subject_id)
        if user is None or not user.active:
            return None
        link = f"{self.base_url}/reset/{new_reset_link(work, user)}"
        hello = render(Message(GREETING.id, name=user.name), user.locale)
        text, ignore = render(TEXT, user.locale), render(IGNORE, user.locale)
        page = Markup('<p>{}</p><p>{}</p><p><a href="{}">{}</a></p><p>{}</p>')
        return Mail(
            to=(user.email,),
            subject=render(SUBJECT, user.locale),
            text=f"{hello}\n\n{text}\n{link}\n\n{ignore}\n",
            html=page.format(hello, text, link, link, ignore),
            message_id=f"reset-{user.id}-{int(work.tick.timestamp())}",
        )

    def send(self, message: Mail, *, again: bool) -> None:  # noqa: ARG002 - a second link does no harm
        """Hand it to the mailer."""
        self.mailer.send(message)

    def record(self, work: Work, event: Event, reply: None) -> None:
        """Nothing to note: the outbox row says that it was sent."""

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """Nothing to note: the outbox row says why."""


@dataclass(frozen=True)
class MailErpAdmins:
    """Tells everybody who looks after the ERP what happened, each in his language."""

    mailer: Mailer
    base_url: str
    name: str = "mail.erp_admins"

    def prepare(self, work: Work, event: Event) -> tuple[Mail, ...] | None:
        """One mail per administrator of the ERP; None if there is none."""
        query = sa.select(User).where(User.role == Role.ERP_ADMIN, User.active)
        link = f"{self.base_url}/erp"
        mails = []
        for user in work.session.scalars(query.order_by(User.id)):
            said = render(event.sentence(), user.locale)
            mails.append(
                Mail(
                    to=(user.email,),
                    subject=render(ERP_SUBJECT, user.locale),
                    text=f"{said}\n\n{link}\n",
                    html=Markup('<p>{}</p><p><a href="{}">{}</a></p>').format(said, link, link),
                    message_id=f"{event.name}-{event.subject_id}-{user.id}-{work.tick:%Y%m%d%H%M}",
                )
            )
        return tuple(mails) or None

    def send(self, message: tuple[Mail, ...], *, again: bool) -> None:  # noqa: ARG002 - a second mail does no harm
        """Hand them to the mailer."""
        for mail in message:
            self.mailer.send(mail)

    def record(self, work: Work, event: Event, reply: None) -> None:
        """Nothing to note: the outbox row says that it was sent."""

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """Nothing to note: the outbox row says why."""
