"""Acts on a draft: lines and terms. Each one prices the whole quote and asks its dates again."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers import queries as customers
from b2bcrm.customers.models import CustomerPart, ShipTo
from b2bcrm.documents.environment import known_locale
from b2bcrm.kernel.errors import Invalid, NotFound, not_found
from b2bcrm.kernel.quantity import check_qty, parse_qty
from b2bcrm.kernel.words import LOCALES, Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.promise import Promising
from b2bcrm.quotes import queries
from b2bcrm.quotes.actions.draft import at_field, load_draft, new_line, settle
from b2bcrm.quotes.actions.drafting import wanted_by_default
from b2bcrm.quotes.models import LINE_STEP, InquiryLine, Quote, QuoteLine
from b2bcrm.quotes.pricing import check_discount, check_price

MAX_LINES = 200
INCOTERMS = ("EXW", "FCA", "CPT", "CIP", "DAP", "DPU", "DDP", "FAS", "FOB", "CFR", "CIF")
TERMS = frozenset(
    {
        *("incoterm", "incoterm_place", "payment_terms", "valid_until", "doc_language", "note"),
        *("customer_po", "win_pct", "decision_on", "contact_id", "ship_to_id"),
    }
)
_SEPARATORS = re.compile(r"\s*[\t;]\s*|\s*,\s*(?=[\d.]+\s*$)|\s+(?=\S+$)")


def set_line(
    work: Work,
    quote_id: int,
    line_no: int,
    *,
    promises: Promising,
    expected_version: int | None = None,
    qty: Decimal | None = None,
    discount_pct: Decimal | None = None,
    wanted_on: dt.date | None = None,
    unit_price: Decimal | None = None,
) -> Quote:
    """Change what is given of a line; the rest stays.

    ``unit_price`` counts only for an item without a price list. Raises Invalid at the field.
    """
    quote = load_draft(work, quote_id, expected_version)
    line = _line(quote, line_no)
    if qty is not None:
        with at_field("qty"):
            line.qty = check_qty(qty, line.unit)
    if discount_pct is not None:
        with at_field("discount_pct"):
            line.discount_pct = check_discount(discount_pct)
    if wanted_on is not None:
        with at_field("wanted_on"):
            line.wanted_on = check_wish(work, wanted_on)
    if unit_price is not None:
        with at_field("unit_price"):
            line.list_price = check_price(unit_price)
    settle(work, quote, promises)
    return quote


def check_wish(work: Work, wanted_on: dt.date) -> dt.date:
    """A wanted day that has not passed."""
    if wanted_on < work.today:
        raise Invalid(Message("This day has passed."), code="date_past")
    return wanted_on


def _line(quote: Quote, line_no: int) -> QuoteLine:
    line = quote.line(line_no)
    if line is None:
        raise not_found(Message("This line"))
    return line


def _next_no(work: Work, quote: Quote) -> int:
    """Free of the numbers of open wishes too, since a wish is answered by its own number."""
    if quote.inquiry_id is None:
        return quote.next_line_no()
    last = work.session.scalar(
        sa.select(sa.func.max(InquiryLine.line_no)).where(
            InquiryLine.inquiry_id == quote.inquiry_id
        )
    )
    return max(quote.next_line_no(), (last or 0) + LINE_STEP)


def add_line(
    work: Work,
    quote_id: int,
    *,
    part: str,
    promises: Promising,
    expected_version: int | None = None,
    qty: Decimal = Decimal(1),
    wanted_on: dt.date | None = None,
    wish_no: int | None = None,
) -> Quote:
    """Add an item by its number or the customer's own; ``wish_no`` answers an open wish.

    The day wanted is the given one, else the wish's, else that of the quote.
    """
    quote = load_draft(work, quote_id, expected_version)
    with at_field("part"):
        item, part_no = find_item(work, quote.account_id, part)
    wish = _wish(work, quote, wish_no)
    line = _made(
        work, quote, item, part_no, qty=qty, line_no=None if wish is None else wish.line_no
    )
    asked = wanted_on or (wish.wanted_on if wish is not None else None)
    with at_field("wanted_on"):
        line.wanted_on = check_wish(work, asked or wanted_by_default(work, quote))
    quote.lines.append(line)
    settle(work, quote, promises)
    return quote


def _made(
    work: Work, quote: Quote, item: Item, part_no: str, *, qty: Decimal, line_no: int | None = None
) -> QuoteLine:
    if len(quote.lines) >= MAX_LINES:
        message = Message("A quote has at most %(n)s lines.", n=MAX_LINES)
        raise Invalid(message, code="too_many_lines", fields={"part": message})
    with at_field("qty"):
        line = new_line(line_no or _next_no(work, quote), item, check_qty(qty, item.unit), quote)
    line.customer_part_no = part_no
    return line


def _wish(work: Work, quote: Quote, wish_no: int | None) -> InquiryLine | None:
    if wish_no is None or quote.inquiry_id is None:
        return None
    inquiry = queries.inquiry_by_id(work, quote.inquiry_id)
    for wish in queries.open_wishes(inquiry, quote):
        if wish.line_no == wish_no:
            return wish
    raise not_found(Message("This line"))


def find_item(work: Work, account_id: int, text: str) -> tuple[Item, str]:
    """The item meant by ``text`` (a number, the customer's own, or a number and a name).

    Answers it with the customer's number for it. Raises Invalid if nothing is called so.
    """
    typed = text.strip()
    first = typed.split(" ")[0].casefold()
    query = (
        sa.select(Item, CustomerPart.part_no)
        .outerjoin(
            CustomerPart,
            sa.and_(CustomerPart.item_id == Item.id, CustomerPart.account_id == account_id),
        )
        .where(
            Item.sellable,
            Item.active,
            sa.or_(
                *(
                    sa.func.lower(column).in_({typed.casefold(), first})
                    for column in (Item.no, CustomerPart.part_no)
                )
            ),
        )
        .order_by(Item.id)
    )
    rows = work.session.execute(query).all()
    if not rows or not typed:
        raise Invalid(
            Message("No item is called “%(text)s”.", text=typed[:60]), code="unknown_item"
        )
    whole = typed.casefold()
    rows = sorted(rows, key=lambda row: whole not in {row[0].no.casefold(), str(row[1]).casefold()})
    item, part_no = rows[0]
    return item, part_no or ""


def remove_line(
    work: Work,
    quote_id: int,
    line_no: int,
    *,
    promises: Promising,
    expected_version: int | None = None,
) -> Quote:
    """Take a line out; a wish that it answered is open again."""
    quote = load_draft(work, quote_id, expected_version)
    quote.lines.remove(_line(quote, line_no))
    settle(work, quote, promises)
    return quote


@dataclass(frozen=True)
class PastedRow:
    """One row that could not be taken, as it was pasted, and why. ``number`` counts from 1."""

    number: int
    text: str
    reason: Message


def paste_lines(
    work: Work,
    quote_id: int,
    *,
    text: str,
    promises: Promising,
    expected_version: int | None = None,
) -> tuple[Quote, list[PastedRow]]:
    """Rows ``item <tab> quantity`` from a spreadsheet: good ones become lines, others come back."""
    quote = load_draft(work, quote_id, expected_version)
    wrong: list[PastedRow] = []
    wanted = wanted_by_default(work, quote)
    rows = [(n, row.strip()) for n, row in enumerate(text.splitlines(), 1) if row.strip()]
    if not rows:
        message = Message("Paste at least one row: an item and a quantity.")
        raise Invalid(message, fields={"text": message})
    if len(rows) > MAX_LINES:
        message = Message("A quote has at most %(n)s lines.", n=MAX_LINES)
        raise Invalid(message, fields={"text": message})
    for number, row in rows:
        try:
            part, qty = _cells(row)
            item, part_no = find_item(work, quote.account_id, part)
            line = _made(work, quote, item, part_no, qty=parse_qty(qty, item.unit))
        except Invalid as error:
            wrong.append(PastedRow(number, row[:80], error.message))
            continue
        line.wanted_on = wanted
        quote.lines.append(line)
    settle(work, quote, promises)
    return quote, wrong


def _cells(row: str) -> tuple[str, str]:
    cells = [cell.strip() for cell in _SEPARATORS.split(row, maxsplit=1)]
    if len(cells) < 2 or not cells[1]:  # noqa: PLR2004 - item and quantity
        raise Invalid(Message("A row needs an item and a quantity."), code="row_form")
    return cells[0], cells[1].split("\t")[0]


def set_terms(
    work: Work,
    quote_id: int,
    *,
    promises: Promising,
    expected_version: int | None = None,
    **terms: Any,
) -> Quote:
    """Change what is given of ``TERMS``. Raises Invalid at the field."""
    quote = load_draft(work, quote_id, expected_version)
    unknown = terms.keys() - TERMS
    if unknown:
        raise TypeError(f"not a term: {sorted(unknown)}")
    for name, value in terms.items():
        with at_field(name):
            setattr(quote, name, _checked(work, quote, name, value))
    if "doc_language" in terms:
        _speak(work, quote)
    settle(work, quote, promises)
    return quote


def _checked(work: Work, quote: Quote, name: str, value: Any) -> Any:
    wrong = Message("This value is not possible.")
    if name == "valid_until" and (value is None or value < work.today):
        raise Invalid(Message("This day has passed."), code="date_past")
    if name == "incoterm" and value not in INCOTERMS:
        raise Invalid(wrong, code="incoterm")
    if name == "doc_language" and value not in LOCALES:
        raise Invalid(wrong, code="language")
    if name == "win_pct" and not 0 <= value <= 100:  # noqa: PLR2004 - percent
        raise Invalid(wrong, code="percent")
    if name == "contact_id" and value is not None:
        try:
            customers.contact(work, quote.account_id, value)
        except NotFound:
            raise Invalid(wrong, code="contact") from None
    if name == "ship_to_id" and value is not None:
        ship_to = work.session.get(ShipTo, value)
        if ship_to is None or ship_to.account_id != quote.account_id:
            raise Invalid(wrong, code="ship_to")
    return value


def _speak(work: Work, quote: Quote) -> None:
    locale = known_locale(quote.doc_language)
    ids = {line.item_id for line in quote.lines}
    items = {i.id: i for i in work.session.scalars(sa.select(Item).where(Item.id.in_(ids)))}
    for line in quote.lines:
        line.description = items[line.item_id].name_in(locale)[:300]


def refresh(
    work: Work, quote_id: int, *, promises: Promising, expected_version: int | None = None
) -> Quote:
    """Today's prices and dates for a draft that has lain."""
    quote = load_draft(work, quote_id, expected_version)
    settle(work, quote, promises)
    return quote
