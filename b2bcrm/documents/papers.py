"""Our papers by name: which template, which content, what the file is called."""

from __future__ import annotations

from b2bcrm.documents.contents import OrderContent, QuoteContent
from b2bcrm.documents.pdf import render_pdf

PDF = "application/pdf"


def quote_pdf(content: QuoteContent, seal: str) -> bytes:
    """A quote; ``seal`` is empty for a draft, which then says so. No Work may be open."""
    return render_pdf("quote", content.language, {"content": content, "seal": seal})


def quote_file_name(content: QuoteContent) -> str:
    """The name under which a quote's PDF is sent and kept."""
    return f"{content.no}-{content.revision}.pdf"


def order_pdf(content: OrderContent) -> bytes:
    """An order acknowledgement. No Work may be open."""
    return render_pdf("order", content.language, {"content": content})


def order_file_name(content: OrderContent) -> str:
    """The name under which an acknowledgement is sent and kept."""
    return f"{content.label.replace('/', '-')}.pdf"
