"""PDF from templates with WeasyPrint, which is imported at the first use (0.3 to 2 s).

Fetching is closed: a template may name ``packaged:<file>`` out of the list below and nothing
else; a missing file stops the rendering instead of leaving a hole. No Work may be open.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from b2bcrm.documents.environment import TEMPLATES, fill

_VENDOR = Path(__file__).parent.parent / "web" / "static" / "vendor"
PACKAGED = {
    "print.css": TEMPLATES / "print.css",
    "inter.woff2": _VENDOR / "inter" / "files" / "inter-latin-wght-normal.woff2",
}
MEDIA_TYPES = {".css": "text/css", ".woff2": "font/woff2", ".png": "image/png"}
SCHEME = "packaged:"
FONT_DATE = "315532800"  # 1 January 1980, in every subset of a font


@cache
def _fetcher() -> Any:
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class PackagedOnly(URLFetcher):  # type: ignore[misc]
        """Answers only for the files named in ``PACKAGED``; anything else is fatal."""

        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002 - the base class asks
            """The packaged file; LookupError for any other address."""
            path = PACKAGED.get(url.removeprefix(SCHEME)) if url.startswith(SCHEME) else None
            if path is None:
                raise LookupError(f"documents may not fetch {url}")
            kind = MEDIA_TYPES[path.suffix]
            return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": kind})

    return PackagedOnly(fail_on_errors=True)


def render_html(template: str, locale: str, context: dict[str, Any]) -> str:
    """The HTML that the PDF is made from: ``templates/<template>.html``."""
    latin = PACKAGED["inter.woff2"].is_file()  # without it the system's fonts serve
    return fill(f"{template}.html", locale, {"packaged_latin": latin, **context})


def _document(html: str) -> Any:
    # fontTools stamps subsets with the clock unless told otherwise: equal papers, equal bytes.
    os.environ.setdefault("SOURCE_DATE_EPOCH", FONT_DATE)
    from weasyprint import HTML

    return HTML(string=html, base_url=SCHEME, url_fetcher=_fetcher()).render()


def render_pdf(template: str, locale: str, context: dict[str, Any]) -> bytes:
    """The document as PDF; the same context gives the same bytes on one machine."""
    content: bytes = _document(render_html(template, locale, context)).write_pdf()
    return content


def missing_glyphs(template: str, locale: str, context: dict[str, Any]) -> frozenset[str]:
    """Characters that no installed font can draw: boxes on paper that a text test cannot see."""
    document = _document(render_html(template, locale, context))
    document.write_pdf()
    found = {point for font in document.fonts.values() for point in font.missing}
    return frozenset(chr(point) for point in found)
