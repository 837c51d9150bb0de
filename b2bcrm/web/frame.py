"""The page frame's own facts: which links the reader gets, and how old the ERP's data are.

A link appears when its page exists and the reader's role may open it.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Flask, current_app, request

from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.words import Message
from b2bcrm.web import auth
from b2bcrm.web.access import allows
from b2bcrm.web.locale import current_locale
from b2bcrm.web.work import current_work, reading, supply

SHORT_HAN = 4


@dataclass(frozen=True)
class ErpAge:
    """When the last change from the ERP came in, and whether that is ok, risk or late."""

    as_of: dt.datetime
    status: str


@dataclass(frozen=True)
class Link:
    """One entry of the main navigation."""

    path: str
    name: Message


STAFF_LINKS = (
    Link("/orders", Message("Orders")),
    Link("/quotes", Message("Quotes")),
    Link("/accounts", Message("Accounts")),
    Link("/service", Message("Service")),
    Link("/fulfillment", Message("Fulfilment")),
    Link("/planning", Message("Planning")),
    Link("/erp", Message("ERP sync")),
)
PORTAL_LINKS = (
    Link("/portal/orders", Message("Orders")),
    Link("/portal/quotes", Message("Quotes")),
    Link("/portal/cases", Message("Service")),
    Link("/portal/documents", Message("Documents")),
)


def _pages(role: Role) -> frozenset[str]:
    """The paths of all pages that ``role`` may open; found once per process."""
    known: dict[Role, frozenset[str]] = current_app.extensions.setdefault("frame_pages", {})
    if role not in known:
        rules = [r for r in current_app.url_map.iter_rules() if "GET" in (r.methods or ())]
        known[role] = frozenset(r.rule.rstrip("/") for r in rules if allows(r.endpoint, role))
    return known[role]


def page_exists(path: str) -> bool:
    """Whether ``path`` is a page that the reader may open."""
    signed_in = auth.current()
    return signed_in is not None and path in _pages(signed_in.actor.role)


def links() -> list[Link]:
    """The reader's main navigation."""
    signed_in = auth.current()
    if signed_in is None:
        return []
    known = PORTAL_LINKS if signed_in.actor.is_portal else STAFF_LINKS
    pages = _pages(signed_in.actor.role)
    return [link for link in known if link.path in pages]


def is_here(path: str) -> bool:
    """Whether the page shown lies under ``path``."""
    return request.path == path or request.path.startswith(f"{path}/")


def erp_age() -> ErpAge | None:
    """Age of the ERP's data, from whom ``create_app`` was told to ask; None if unknown."""
    work, ask = current_work(), supply("erp_age")
    if work is None or ask is None:
        return None
    found: ErpAge | None = ask(work)
    return found


def company_name() -> str:
    """The first company's name in the reader's language; the product's own before set-up."""
    names: dict[str, str] = current_app.extensions.setdefault("company_names", {})
    if not names:
        work = current_work() or reading()
        row = work.session.scalars(sa.select(Company).order_by(Company.id).limit(1)).first()
        if row is None:
            return "B2B CRM"
        names["en"] = row.name
        names["zh_Hant"] = row.name_zh_hant or row.name
        names["zh_Hans"] = row.name_zh_hans or row.name
    return names[current_locale()]


def company_short() -> str:
    """The first word of the name, for the narrow bar of staff pages."""
    name = company_name()
    return name.split()[0] if name[0].isascii() else name[:SHORT_HAN]


def fresh_key() -> str:
    """A key for one form, so that the form counts once however often it is sent."""
    return secrets.token_urlsafe(12)


def init_app(app: Flask) -> None:
    """Give the layouts what they show around every page."""
    app.jinja_env.globals.update(
        company_name=company_name,
        company_short=company_short,
        fresh_key=fresh_key,
        links=links,
        is_here=is_here,
        page_exists=page_exists,
        erp_age=erp_age,
    )
