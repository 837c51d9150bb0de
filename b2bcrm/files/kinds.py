"""What may be stored and how it is recognised: by its first bytes and its ending, both.

A file that is not what its name says is refused. Office files are recognised by the list of
names in their archive; nothing is ever unpacked, so an archive cannot swell here.
"""

from __future__ import annotations

import enum
import io
import re
import struct
import unicodedata
import zipfile
from dataclasses import dataclass

from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.words import Message

MAX_BYTES = 20_000_000
MAX_NAME = 200
_MAX_ENTRIES = 10_000
_EOCD = b"PK\x05\x06"
_EOCD_SPAN = 22 + 65_535  # an archive's end record plus its longest comment


class FileKind(enum.StrEnum):
    """What a stored file is for."""

    QUOTE = "quote"
    ACKNOWLEDGEMENT = "acknowledgement"
    DELIVERY_NOTE = "delivery_note"
    CERTIFICATE = "certificate"
    INQUIRY = "inquiry"
    ATTACHMENT = "attachment"


KIND_WORDS: dict[str, Message] = {
    FileKind.QUOTE: Message("Quote"),
    FileKind.ACKNOWLEDGEMENT: Message("Order acknowledgement"),
    FileKind.DELIVERY_NOTE: Message("Delivery note"),
    FileKind.CERTIFICATE: Message("Certificate"),
    FileKind.INQUIRY: Message("Inquiry"),
    FileKind.ATTACHMENT: Message("Attachment"),
}

_OOXML = "application/vnd.openxmlformats-officedocument"
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "xlsx": f"{_OOXML}.spreadsheetml.sheet",
    "docx": f"{_OOXML}.wordprocessingml.document",
    "csv": "text/csv",
    "txt": "text/plain",
    "step": "model/step",
    "stp": "model/step",
    "dxf": "image/vnd.dxf",
}
ACCEPT = ",".join(f".{ending}" for ending in MEDIA_TYPES)
"""For the ``accept`` attribute of file inputs."""

_OFFICE_PARTS = {"xlsx": "xl/workbook.xml", "docx": "word/document.xml"}
_TEXT_ENDINGS = frozenset({"csv", "txt", "step", "stp", "dxf"})
_FOREIGN = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*]")
_DXF_START = re.compile(rb"\s*(?:999\s*?\n[^\n]*\n\s*)*0\s*?\n\s*SECTION\b")


@dataclass(frozen=True)
class Recognised:
    """A file that is what it says: its cleaned name and media type."""

    name: str
    media_type: str


def clean_name(name: str) -> str:
    """The bare file name: no folders, no control characters, at most ``MAX_NAME`` long."""
    bare = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(c for c in bare if unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    bare = _FOREIGN.sub("_", visible).strip(" .")
    if len(bare) > MAX_NAME:
        stem, dot, ending = bare.rpartition(".")
        bare = stem[: MAX_NAME - len(ending) - 1] + dot + ending if dot else bare[:MAX_NAME]
    return bare


def recognise(name: str, content: bytes, *, field: str = "file") -> Recognised:
    """Check size, ending and content; raises Invalid with a sentence at ``field``."""
    if not content:
        raise _refused(field, "file_empty", Message("This file is empty."))
    if len(content) > MAX_BYTES:
        raise _refused(
            field, "file_size", Message("A file may have at most %(mb)s MB.", mb=MAX_BYTES // 10**6)
        )
    cleaned = clean_name(name)
    ending = cleaned.rpartition(".")[2].lower()
    if "." not in cleaned or ending not in MEDIA_TYPES:
        raise _refused(
            field,
            "file_type",
            Message("Files of this kind are not taken. Possible are %(kinds)s.", kinds=_KINDS),
        )
    if not _is_what_it_says(ending, content):
        raise _refused(
            field,
            "file_disguised",
            Message(
                "%(name)s is not a real %(ending)s file: its content does not match its name.",
                name=cleaned,
                ending=ending.upper(),
            ),
        )
    return Recognised(name=cleaned, media_type=MEDIA_TYPES[ending])


_KINDS = "PDF, PNG, JPG, XLSX, DOCX, CSV, TXT, STEP, DXF"


def _refused(field: str, code: str, message: Message) -> Invalid:
    return Invalid(message, code=code, fields={field: message})


def _is_what_it_says(ending: str, content: bytes) -> bool:
    if ending == "pdf":
        return content[:5] == b"%PDF-"
    if ending == "png":
        return content[:8] == b"\x89PNG\r\n\x1a\n"
    if ending in {"jpg", "jpeg"}:
        return content[:3] == b"\xff\xd8\xff"
    if ending in _OFFICE_PARTS:
        return _is_office(_OFFICE_PARTS[ending], content)
    return ending in _TEXT_ENDINGS and _is_text(ending, content)


def _is_office(part: str, content: bytes) -> bool:
    """An Office archive with the expected main part and without macros; only names are read."""
    if content[:4] != b"PK\x03\x04" or _entries(content) > _MAX_ENTRIES:
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return False
    macros = any(n.lower().endswith("vbaproject.bin") for n in names)
    return part in names and "[Content_Types].xml" in names and not macros


def _entries(content: bytes) -> int:
    """How many entries the archive's end record names; more than allowed if there is none."""
    tail = content[-_EOCD_SPAN:]
    at = tail.rfind(_EOCD)
    if at < 0 or at + 12 > len(tail):
        return _MAX_ENTRIES + 1
    return int(struct.unpack_from("<H", tail, at + 10)[0])


def _is_text(ending: str, content: bytes) -> bool:
    """Readable text; STEP and DXF must also begin as their standards say."""
    if ending in {"step", "stp"}:
        return content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"ISO-10303-21;") and (
            b"\0" not in content
        )
    if ending == "dxf":
        return _DXF_START.match(content) is not None and b"\0" not in content
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return _decodes(content, "utf-16")
    if any(byte < 32 and byte not in (9, 10, 12, 13) for byte in set(content)):  # noqa: PLR2004 - ASCII control characters
        return False
    return any(_decodes(content, code) for code in ("utf-8", "big5", "gb18030", "cp1252"))


def _decodes(content: bytes, code: str) -> bool:
    try:
        content.decode(code)
    except UnicodeDecodeError:
        return False
    return True
