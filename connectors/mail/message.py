"""A ``Mail`` as a MIME message, the same for every way of sending it."""

from __future__ import annotations

import datetime as dt
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.words import Message
from b2bcrm.ports.mail import Mail


def message_id(mail: Mail) -> str:
    """The Message-ID header; it depends on nothing but ``mail.message_id``."""
    bare = mail.message_id.strip("<>")
    return f"<{bare}>" if "@" in bare else f"<{bare}@b2bcrm>"


def compose(mail: Mail, *, sender: str, at: dt.datetime) -> EmailMessage:
    """The MIME message: text and HTML as alternatives, attachments behind them.

    Raises Refused when an address, the subject or a file name cannot stand in a header.
    """
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = _address(sender)
        message["To"] = [_address(to) for to in mail.to]
        if mail.reply_to:
            message["Reply-To"] = _address(mail.reply_to)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(at)
        message["Message-ID"] = message_id(mail)
        message["Auto-Submitted"] = "auto-generated"  # so that absence notes are not sent back
        message.set_content(mail.text)
        if mail.html:
            message.add_alternative(mail.html, subtype="html")
        for attachment in mail.attachments:
            main, _, sub = attachment.media_type.partition("/")
            message.add_attachment(
                attachment.content, maintype=main, subtype=sub, filename=attachment.name
            )
    except ValueError as error:  # a line break in a header, or no address
        raise Refused(
            Message("This mail cannot be sent: %(text)s", text=str(error)), code="mail_invalid"
        ) from error
    return message


def _address(text: str) -> Address:
    name, spec = parseaddr(text)
    if "@" not in spec or "\n" in text or "\r" in text:
        raise ValueError(f"not a mail address: {text!r}")
    return Address(display_name=name, addr_spec=spec)
