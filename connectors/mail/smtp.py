"""Mail over SMTP: one connection per mail, timeouts everywhere, TLS unless it is switched off.

SMTP cannot tell whether a repeat has been seen; the stable Message-ID lets the receiver tell.
"""

from __future__ import annotations

import datetime as dt
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from b2bcrm.kernel.clock import machine_now
from b2bcrm.kernel.errors import CrmError, Refused, Unavailable
from b2bcrm.kernel.words import Message
from b2bcrm.ports.mail import Mail
from connectors.mail.message import compose

_PERMANENT = 500  # SMTP replies from here on will not change by waiting


class Security(StrEnum):
    """How the connection is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True)
class SmtpMailer:
    """Implements ``Mailer``. ``sender`` is the From address, with or without a name."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    security: Security = Security.STARTTLS
    timeout_s: float = 20.0
    context: ssl.SSLContext | None = None
    now: Callable[[], dt.datetime] = machine_now

    def send(self, mail: Mail) -> None:
        """Hand the mail to the server. Unavailable: try again; Refused: it will not take it."""
        message = compose(mail, sender=self.sender, at=self.now())
        try:
            with self._connection() as server:
                missed = server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise _recipients(error.recipients) from error
        except smtplib.SMTPAuthenticationError as error:
            raise _verdict(error.smtp_code, error.smtp_error, code="mail_auth") from error
        except smtplib.SMTPResponseException as error:
            raise _verdict(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Refused(
                Message("The mail server cannot do what is set up: %(text)s", text=str(error)),
                code="mail_config",
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(
                Message("The mail server cannot be reached."), code="mail_unavailable"
            ) from error
        if missed:  # others have it already: sending again would reach them twice
            raise Refused(
                Message("The mail server did not accept: %(names)s", names=", ".join(missed)),
                code="mail_partly_refused",
            )

    def _connection(self) -> smtplib.SMTP:
        context = self.context or ssl.create_default_context()
        if self.security is Security.TLS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=self.timeout_s, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.timeout_s)
        try:
            if self.security is Security.STARTTLS:
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


def _recipients(refused: dict[str, tuple[int, bytes]]) -> CrmError:
    number, reply = max(refused.values())
    return _verdict(number, reply)


def _verdict(number: int, reply: bytes | str, *, code: str = "mail_refused") -> CrmError:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    said = Message(
        "The mail server says: %(number)s %(text)s", number=number, text=text.strip()[:300]
    )
    if number >= _PERMANENT:
        return Refused(said, code=code)
    return Unavailable(said, code="mail_unavailable")
