"""The bytes of a reply as clean UTF-8: charset, byte order mark, signs that XML forbids.

The profile's charset wins, then the document's own declaration, then the HTTP header. Signs that
XML forbids are dropped and counted. Bytes that the charset cannot read make the reply unusable
(a mangled name must not be stored), unless the profile says ``bad_bytes = "replace"``.
"""

from __future__ import annotations

import codecs
import re
from typing import Protocol

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = bytes(n for n in range(32) if n not in b"\t\n\r")
_REFERENCES = re.compile(
    rb"&#(?:x0*(?:[0-8bcBCefEF]|1[0-9a-fA-F])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]));"
)
_REPLACED = "\ufffd".encode()
_NO_SIGNS = ("\ufffe".encode(), "\uffff".encode())
HEAD = 200  # bytes in which an XML declaration ends
LONGEST_REFERENCE = 16  # a character reference may be cut by the end of a chunk
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
}  # what really comes under the older names


class BadBytes(Exception):
    """The reply is not written in the charset that it declares."""


class Readable(Protocol):
    """What a reply is read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes; empty at the end."""


def charset_of(head: bytes, profiled: str, header: str) -> str:
    """The charset of a document that begins with ``head``; utf-8 where nobody says."""
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    found = _DECLARED.match(head)
    name = profiled or (found[1].decode("ascii") if found else "") or header or "utf-8"
    try:
        name = codecs.lookup(name).name
    except LookupError:
        return "utf-8"
    return _WIDER.get(name, name)


class Decoded:
    """A reply as a file of UTF-8 bytes; ``bad`` counts what was replaced or dropped."""

    def __init__(
        self, stream: Readable, *, profiled: str = "", header: str = "", replace: bool = False
    ) -> None:
        self._stream = stream
        self._profiled = profiled
        self._header = header
        self._errors = "replace" if replace else "strict"
        self._decoder: codecs.IncrementalDecoder | None = None
        self._held = ""
        self._begun = False
        self.bad = 0

    def read(self, size: int = -1, /) -> bytes:
        """About ``size`` bytes; empty at the end only. Raises BadBytes."""
        while True:
            data = self._stream.read(size) if self._decoder is not None else self._head(size)
            if not data and self._decoder is None:
                return b""
            text = self._held + self._decode(data)
            if not self._begun:
                text = text.lstrip("\ufeff \t\r\n")
                self._begun = bool(text)
            self._held = ""
            if data:
                at = text.rfind("&", -LONGEST_REFERENCE)
                if at >= 0:
                    text, self._held = text[:at], text[at:]
            if text or not data:
                return self._clean(text)

    def _head(self, size: int) -> bytes:
        """As much as it takes to see a declaration; it may come byte by byte."""
        head = b""
        while len(head) < HEAD and (data := self._stream.read(size)):
            head += data
        return head

    def _decode(self, data: bytes) -> str:
        if self._decoder is None:
            name = charset_of(data[:HEAD], self._profiled, self._header)
            self._decoder = codecs.getincrementaldecoder(name)(errors=self._errors)
        try:
            return self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise BadBytes(f"bytes that are not {error.encoding}") from error

    def _clean(self, text: str) -> bytes:
        data = text.encode()
        clean = data.translate(None, _CONTROLS)
        self.bad += len(data) - len(clean)
        if b"&#" in clean:
            clean, dropped = _REFERENCES.subn(b"", clean)
            self.bad += dropped
        for sign in _NO_SIGNS:
            if sign in clean:
                self.bad += clean.count(sign)
                clean = clean.replace(sign, b"")
        if self._errors == "replace":
            self.bad += clean.count(_REPLACED)
        return clean
