"""Contents of each kind, as small as they can be."""

from __future__ import annotations

import io
import zipfile

import pytest


def office_file(part: str, *more: str) -> bytes:
    """An Office archive with its main part and whatever else it should name."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("[Content_Types].xml", part, *more):
            archive.writestr(name, "<x/>")
    return target.getvalue()


GOOD = {
    "a.pdf": b"%PDF-1.7\n%%EOF",
    "a.png": b"\x89PNG\r\n\x1a\n....",
    "a.jpg": b"\xff\xd8\xff\xe0....",
    "A.JPEG": b"\xff\xd8\xff\xe0....",
    "a.xlsx": office_file("xl/workbook.xml"),
    "a.docx": office_file("word/document.xml"),
    "a.csv": "料號,數量\nPG-1,2\n".encode(),
    "big5.txt": "滾珠螺桿".encode("big5"),
    "a.step": b"ISO-10303-21;\nHEADER;\nENDSEC;\nEND-ISO-10303-21;\n",
    "a.stp": b"ISO-10303-21;\nHEADER;\n",
    "a.dxf": b"  0\r\nSECTION\r\n  2\r\nHEADER\r\n",
}


@pytest.fixture
def files_dir(tmp_path):
    return tmp_path / "files"
