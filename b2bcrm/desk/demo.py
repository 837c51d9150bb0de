"""Pages of the demo: all components in all states, the mail it caught, and its logins.

They exist only in a database that is marked ``demo``; ``create_app`` leaves them out otherwise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

import sqlalchemy as sa
from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.mail import Attachment
from b2bcrm.users.models import User
from b2bcrm.web.files import SANDBOX, send_content
from b2bcrm.web.forms import Form
from b2bcrm.web.work import in_work, supply

bp = Blueprint("demo", __name__, template_folder="templates", url_prefix="/demo")

DEMO_PASSWORD = "formosa-2026"  # noqa: S105 - printed by ./crm up, works only in a demo
# Links of a mail open a page of their own; nothing in a mail runs.
FRAMED = f"{SANDBOX} allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'"


class CaughtMail(Protocol):
    """One mail in the demo's folder; content only when it was read by its key."""

    key: str
    to: tuple[str, ...]
    sender: str
    subject: str
    sent_at: dt.datetime | None
    text: str
    html: str
    attachments: tuple[Attachment, ...]


class Folder(Protocol):
    """Where the demo's mail is caught; ``bootstrap`` supplies it as ``caught_mail``."""

    def list_mails(self) -> Sequence[CaughtMail]:
        """Newest first, heads only."""

    def read_mail(self, key: str) -> CaughtMail | None:
        """One mail with its content, or None."""


@bp.get("/")
@in_work(read_only=True)
def logins(work: Work) -> ResponseReturnValue:
    """Who can sign in: staff by role, and buyers of some customers."""
    query = sa.select(User).where(User.active).order_by(User.account_id.is_not(None), User.id)
    people = work.session.scalars(query.limit(40)).all()
    return render_template("desk/demo_logins.html", people=people, password=DEMO_PASSWORD)


@bp.get("/components")
@in_work(read_only=True)
def catalogue(work: Work) -> ResponseReturnValue:
    """Every component once, in every state."""
    form = Form(
        values={"discount": "14.0"},
        errors={"discount": Message("Above your limit of %(limit)s %%.", limit=10)},
    )
    return render_template("desk/demo_components.html", form=form, at=work.now)


def _folder() -> Folder:
    folder: Folder | None = supply("caught_mail")
    if folder is None:
        raise not_found(Message("This mail"))
    return folder


def _mail(key: str) -> CaughtMail:
    found = _folder().read_mail(key)
    if found is None:
        raise not_found(Message("This mail"))
    return found


@bp.get("/mail")
@in_work(read_only=True)
def mail_list(_work: Work) -> ResponseReturnValue:
    """All mail that the demo caught."""
    return render_template("desk/demo_mail.html", mails=_folder().list_mails(), mail=None)


@bp.get("/mail/<key>")
@in_work(read_only=True)
def mail_one(_work: Work, key: str) -> ResponseReturnValue:
    """One mail."""
    mails = _folder().list_mails()
    return render_template("desk/demo_mail.html", mails=mails, mail=_mail(key))


@bp.get("/mail/<key>/body")
def mail_body(key: str) -> ResponseReturnValue:
    """The mail's own HTML, for a sandboxed frame."""
    response = Response(_mail(key).html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = FRAMED
    return response


@bp.get("/mail/<key>/attachments/<int:number>")
def mail_attachment(key: str, number: int) -> ResponseReturnValue:
    """One attachment, counted from 0."""
    attachments = _mail(key).attachments
    if number >= len(attachments):
        raise not_found(Message("This file"))
    found = attachments[number]
    return send_content(found.content, found.name, found.media_type, inline=True)
