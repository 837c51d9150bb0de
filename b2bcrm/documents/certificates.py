"""The certificate of an ERP connection: what the contract suite saw, for a customer to sign."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from b2bcrm.documents.contents import Firm
from b2bcrm.documents.environment import TEMPLATES
from b2bcrm.documents.pdf import render_html, render_pdf
from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import Act

TEMPLATE = "certificate"
LINK = '<link rel="stylesheet" href="packaged:print.css">'

ACT_WORDS: Mapping[Act, Message] = {
    Act.LIST: Message("list"),
    Act.LIST_KEYS: Message("list of keys"),
    Act.GET: Message("single record"),
    Act.LOOKUP: Message("look-up by another key"),
    Act.CREATE: Message("enter"),
    Act.UPDATE: Message("change"),
    Act.CANCEL: Message("cancel"),
    Act.VALIDATE: Message("dry run"),
    Act.OPERATIONS: Message("progress"),
    Act.AVAILABILITY: Message("availability"),
}
OUTCOME_WORDS: Mapping[str, Message] = {
    "passed": Message("Passed"),
    "failed": Message("Failed"),
    "skipped": Message("Skipped"),
    "not_run": Message("Not run"),
}
VERDICTS: Mapping[str, Message] = {
    "writes": Message(
        "The connection keeps the contract. Orders may be written over it: switch writes to "
        "dry-run first, then on."
    ),
    "reads": Message(
        "The connection keeps the contract for reading. No orders were entered, so writes stay off."
    ),
    "failed": Message("The connection does not keep the contract. Writes stay off."),
}


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """One check. ``outcome`` is a key of ``OUTCOME_WORDS``."""

    name: str
    sentence: Message
    outcome: str
    evidence: Message

    @property
    def word(self) -> Message:
        """Its outcome, for people."""
        return OUTCOME_WORDS[self.outcome]


@dataclass(frozen=True, kw_only=True)
class EntityRow:
    """What the connection can do with one kind of record; ``off`` says why something is missing.

    ``manner`` names how it lists changes, pages and deletions, in the profile's own words.
    """

    name: Message | str
    acts: tuple[Message, ...]
    off: tuple[tuple[Message, str], ...]
    manner: str


@dataclass(frozen=True, kw_only=True)
class SpeedRow:
    """One complete list as it was measured."""

    name: Message | str
    rows: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class CertificateContent:
    """Everything the certificate says. ``result`` is a key of ``VERDICTS``; ``at`` is UTC."""

    firm: Firm
    language: str
    at: dt.datetime
    connection: str
    address: str
    company: str
    user: str
    product: str
    profile: str
    profile_version: str
    profile_digest: str
    wsdl_digest: str
    result: str
    prefix: str
    checks: tuple[CheckRow, ...]
    entities: tuple[EntityRow, ...]
    oddities: tuple[Message, ...]
    speeds: tuple[SpeedRow, ...]
    calls_per_second: float

    @property
    def verdict(self) -> Message:
        """The result in one sentence."""
        return VERDICTS[self.result]

    @property
    def label(self) -> str:
        """Main 2026-11-17, for the foot of each page."""
        return f"{self.connection} {self.at:%Y-%m-%d}"

    @property
    def checked_at(self) -> str:
        """2026-11-17 01:40 UTC: the same in every language and zone."""
        return f"{self.at:%Y-%m-%d %H:%M} UTC"

    def count(self, outcome: str) -> int:
        """How many checks ended so."""
        return sum(check.outcome == outcome for check in self.checks)


def certificate_pdf(content: CertificateContent) -> bytes:
    """The certificate on A4. No Work may be open."""
    return render_pdf(TEMPLATE, content.language, _context(content))


def certificate_html(content: CertificateContent) -> str:
    """The same as one page that needs no other file."""
    html = render_html(TEMPLATE, content.language, _context(content) | {"packaged_latin": False})
    style = (TEMPLATES / "print.css").read_text(encoding="utf-8")
    return html.replace(LINK, f"<style>{style}</style>")


def _context(content: CertificateContent) -> dict[str, Any]:
    return {"content": content, "outcomes": OUTCOME_WORDS}
