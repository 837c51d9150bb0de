"""What a document says, as frozen values: no session, no template, no language but its own.

A quote's content is stored when it is sent and sealed by its digest; the page, the PDF and the
signature all come from the same stored value, so nobody ever signs something else.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import types
import typing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from b2bcrm.documents.environment import second_of
from b2bcrm.kernel.organization import Company

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One price of the ladder: ``price`` per unit from ``min_qty`` on."""

    min_qty: Decimal
    price: Decimal


@dataclass(frozen=True, kw_only=True)
class Firm:
    """Our side. ``name_second`` is the name in the document's second language."""

    name: str
    name_second: str = ""
    address: str = ""
    phone: str = ""
    email: str = ""
    tax_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Customer:
    """The customer's side."""

    name: str
    address: str = ""
    tax_id: str = ""
    contact: str = ""
    contact_role: str = ""
    ship_to: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One item. ``unit_price`` is before the discount, ``net`` the rounded amount of the line.

    ``name_second`` is empty where the document has one language. ``ready_on`` is the promised day
    on which the goods leave the site.
    """

    line_no: int
    item_no: str
    name: str
    name_second: str = ""
    spec: str = ""
    customer_part_no: str = ""
    qty: Decimal
    unit: str
    unit_price: Decimal
    discount_pct: Decimal = Decimal(0)
    net: Decimal
    wanted_on: dt.date | None = None
    ready_on: dt.date | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Delivery and payment. ``incoterm`` with its named place, Incoterms 2020."""

    incoterm: str
    incoterm_place: str = ""
    payment: str = ""
    partial_delivery: bool = True
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class QuoteContent:
    """Exactly what the customer sees of one revision.

    ``valid_until`` (price) and ``held_until`` (dates) are inclusive.
    """

    no: str
    revision: str
    language: str
    issued_on: dt.date
    valid_until: dt.date
    held_until: dt.date | None = None
    inquiry_no: str = ""
    inquired_on: dt.date | None = None
    currency: str
    firm: Firm
    customer: Customer
    clerk: str = ""
    lines: tuple[Line, ...]
    terms: Terms
    total: Decimal

    @property
    def label(self) -> str:
        """Q-26-2217 rev C."""
        return f"{self.no} rev {self.revision}"

    @property
    def first_on(self) -> dt.date | None:
        """The day the first line is ready."""
        return min((ln.ready_on for ln in self.lines if ln.ready_on), default=None)

    @property
    def last_on(self) -> dt.date | None:
        """The day the last line is ready; None while one has no date."""
        days = [ln.ready_on for ln in self.lines]
        return None if not days or None in days else max(day for day in days if day)


@dataclass(frozen=True, kw_only=True)
class OrderContent:
    """An order acknowledgement. ``amendment`` 0 is the first confirmation."""

    no: str
    amendment: int = 0
    language: str
    issued_on: dt.date
    ordered_on: dt.date
    quote_no: str = ""
    customer_po: str = ""
    currency: str
    firm: Firm
    customer: Customer
    clerk: str = ""
    lines: tuple[Line, ...]
    terms: Terms
    total: Decimal

    @property
    def label(self) -> str:
        """SO-26-10482, with the amendment where there is one."""
        return f"{self.no}/{self.amendment}" if self.amendment else self.no


def second_name(name: str, english: str, locale: str) -> str:
    """The English name under the Chinese one; empty where it would say the same again."""
    return english if second_of(locale) and name != english else ""


def firm_of(company: Company, locale: str) -> Firm:
    """Our side in ``locale``, with the English name second under Chinese."""
    names = {"zh_Hant": company.name_zh_hant, "zh_Hans": company.name_zh_hans}
    name = names.get(locale) or company.name
    return Firm(
        name=name,
        name_second=second_name(name, company.name, locale),
        address=company.address,
        phone=company.phone,
        email=company.email,
        tax_id=company.tax_id,
    )


def plain_number(value: Decimal) -> str:
    """A Decimal in the one form that equal values share: ``120``, ``0.5``."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text or "0"


def to_json(value: Any) -> Any:
    """A content as JSON values; equal contents give equal JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [to_json(v) for v in value]
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def from_json(kind: type[T], data: dict[str, Any]) -> T:
    """The inverse of ``to_json``; keys of a newer version are left out."""
    hints = typing.get_type_hints(kind)
    known = {f.name for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{k: _typed(v, hints[k]) for k, v in data.items() if k in known})


def _typed(value: Any, hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        hint = next(a for a in typing.get_args(hint) if a is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_typed(v, inner) for v in value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_json(hint, value)
    if hint is Decimal:
        return Decimal(value)
    if hint is dt.date:
        return dt.date.fromisoformat(value)
    return value


def canonical(data: Any) -> bytes:
    """JSON with sorted keys and no spaces, UTF-8: the bytes that are sealed."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def digest_of(data: Any) -> str:
    """SHA-256 of the canonical JSON, hexadecimal."""
    return hashlib.sha256(canonical(data)).hexdigest()
