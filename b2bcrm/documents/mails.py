"""Mails from templates: subject, plain text and HTML of one name, in the reader's language.

Not here: who gets one and when (the features' handlers), and sending (ports.mail).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from b2bcrm.documents.environment import fill
from b2bcrm.ports.mail import Attachment, Mail


def compose(
    template: str,
    locale: str,
    *,
    to: Sequence[str],
    message_id: str,
    attachments: Sequence[Attachment] = (),
    reply_to: str = "",
    **context: Any,
) -> Mail:
    """The mail ``templates/mail/<template>.{subject,txt,html}.j2`` filled with ``context``.

    ``message_id`` must be the same for a repeat of the same delivery. A name that a template
    uses and ``context`` lacks raises ``jinja2.UndefinedError``.
    """
    subject = " ".join(fill(f"mail/{template}.subject.j2", locale, context).split())
    return Mail(
        to=tuple(to),
        subject=subject,
        text=fill(f"mail/{template}.txt.j2", locale, context).strip() + "\n",
        html=fill(f"mail/{template}.html.j2", locale, {"subject": subject, **context}),
        message_id=message_id,
        reply_to=reply_to,
        attachments=tuple(attachments),
    )
