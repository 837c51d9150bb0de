"""Stored content on its way to a browser: never run, never sniffed, shown only if harmless."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from flask import Response, send_file

INLINE = frozenset({"application/pdf", "image/png", "image/jpeg", "image/webp", "image/gif"})
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\/:*?<>|]')


def disposition(name: str, *, inline: bool = False) -> str:
    """A Content-Disposition for ``name`` in any script (RFC 6266)."""
    kind = "inline" if inline else "attachment"
    clean = _UNSAFE.sub("_", name).strip() or "file"
    ascii_name = clean.encode("ascii", "replace").decode().replace("?", "_")
    return f"{kind}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(clean)}"


def send_content(
    content: bytes | Path, name: str, media_type: str, *, inline: bool = False
) -> Response:
    """Answer with stored bytes or a stored file.

    ``inline`` shows it in the browser, for PDF and pictures only; anything else is downloaded.
    """
    shown = inline and media_type in INLINE
    if isinstance(content, bytes):
        response = Response(content, mimetype=media_type)
    else:
        response = send_file(content, mimetype=media_type, conditional=True, max_age=0)
    response.headers["Content-Disposition"] = disposition(name, inline=shown)
    response.headers["X-Content-Type-Options"] = "nosniff"
    if media_type != "application/pdf":  # browsers' PDF viewers do not run inside a sandbox
        response.headers["Content-Security-Policy"] = SANDBOX
    return response
