"""Every list as CSV or XLSX, made after the Work is closed.

CSV carries a byte-order mark, so that spreadsheets read Chinese. A text that a spreadsheet
would take for a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar

from flask import Response

from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.words import Message
from b2bcrm.web.files import disposition
from b2bcrm.web.locale import say
from b2bcrm.web.work import After

Row = TypeVar("Row")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MAX_CELL = 32_000


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A heading and where its value comes from: text, number, date, Money or Message."""

    heading: Message
    value: Callable[[Row], Any]


def safe_text(text: str) -> str:
    """``text`` that no spreadsheet takes for a formula, without control characters."""
    clean = "".join(c for c in text if c >= " " or c in "\n\t")[:_MAX_CELL]
    return f"'{clean}" if clean.startswith(_FORMULA) else clean


def _cell(value: Any) -> Any:
    """A value as a cell: numbers and dates stay themselves, anything else becomes safe text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Money):
        return value.amount
    if isinstance(value, dt.datetime):
        return value.astimezone(HOME_ZONE).replace(tzinfo=None)
    if isinstance(value, Decimal | dt.date):
        return value
    return safe_text(say(value) if isinstance(value, Message) else str(value))


def _csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(headings)
    for row in rows:
        writer.writerow([f"{v:%Y-%m-%d %H:%M}" if isinstance(v, dt.datetime) else v for v in row])
    return text.getvalue().encode("utf-8-sig")


def _xlsx(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(headings))
    for row in rows:
        sheet.append(list(row))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def export(rows: Sequence[Row], columns: Sequence[Column[Row]], fmt: str, name: str) -> After:
    """The rows as a download ``name.csv`` or ``name.xlsx``; Invalid for another format."""
    if fmt not in {"csv", "xlsx"}:
        raise Invalid(Message("Lists can be downloaded as CSV or XLSX."), code="export_format")
    cells = [[_cell(column.value(row)) for column in columns] for row in rows]
    headings = [say(column.heading) for column in columns]

    def make() -> Response:
        content = _csv(headings, cells) if fmt == "csv" else _xlsx(headings, cells)
        response = Response(content, mimetype="text/csv" if fmt == "csv" else XLSX)
        response.headers["Content-Disposition"] = disposition(f"{name}.{fmt}")
        return response

    return After(make)
