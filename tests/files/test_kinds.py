"""A file is taken only if its content is what its name says."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from b2bcrm.files.kinds import MAX_BYTES, MAX_NAME, MEDIA_TYPES, clean_name, recognise
from b2bcrm.kernel.errors import Invalid
from tests.files.conftest import GOOD, office_file


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_file_of_each_kind_is_taken(name):
    found = recognise(name, GOOD[name])
    assert found.media_type == MEDIA_TYPES[name.rpartition(".")[2].lower()]


EXE = b"MZ\x90\x00\x03\x00\x00\x00" + b"\0" * 64


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("invoice.pdf", EXE),
        ("photo.png", EXE),
        ("photo.jpg", GOOD["a.png"]),
        ("photo.png", b"<html><script>alert(1)</script>"),
        ("note.txt", EXE),
        ("note.txt", GOOD["a.pdf"] + b"\0"),
        ("list.csv", GOOD["a.xlsx"]),
        ("part.step", b"solid cube\n"),
        ("part.dxf", b"AutoCAD Binary DXF\r\n\x1a\0"),
        ("table.xlsx", GOOD["a.docx"]),
        ("table.xlsx", b"PK\x03\x04 nothing behind it"),
        ("table.xlsx", office_file("xl/workbook.xml", "xl/vbaProject.bin")),
        ("letter.docx", b"\xd0\xcf\x11\xe0 an old Word file"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(name, content):
    with pytest.raises(Invalid, match="is not a real") as caught:
        recognise(name, content, field="photo")
    assert list(caught.value.fields) == ["photo"]
    assert caught.value.code == "file_disguised"


@pytest.mark.parametrize(
    "name", ["virus.exe", "page.html", "pic.svg", "x.pdf.exe", "pdf", ".pdf.", "a.zip"]
)
def test_a_kind_that_is_not_on_the_list_is_refused(name):
    with pytest.raises(Invalid, match="not taken"):
        recognise(name, GOOD["a.pdf"])


def test_an_empty_file_is_refused():
    with pytest.raises(Invalid, match="empty"):
        recognise("a.pdf", b"")


def test_a_file_over_twenty_megabytes_is_refused():
    assert recognise("a.pdf", b"%PDF-" + b" " * (MAX_BYTES - 5))
    with pytest.raises(Invalid, match="at most 20 MB"):
        recognise("a.pdf", b"%PDF-" + b" " * (MAX_BYTES - 4))


def test_a_zip_bomb_is_not_opened(monkeypatch):
    """Only the names in the archive are read; nothing is ever unpacked."""

    def explode(*_args, **_kwargs):
        raise AssertionError("unpacked")

    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", b"0" * 50_000_000)
    monkeypatch.setattr(zipfile.ZipFile, "open", explode)
    monkeypatch.setattr(zipfile.ZipFile, "read", explode)
    assert recognise("a.xlsx", target.getvalue())


def test_an_archive_that_claims_too_many_entries_is_not_even_listed(monkeypatch):
    content = bytearray(GOOD["a.xlsx"])
    at = content.rfind(b"PK\x05\x06")
    struct.pack_into("<HH", content, at + 8, 60_000, 60_000)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(Invalid, match="not a real XLSX"):
        recognise("a.xlsx", bytes(content))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\temp\\x.pdf", "x.pdf"),
        ("/abs/olute.pdf", "olute.pdf"),
        ("a\0b\r\n.pdf", "ab.pdf"),
        ("圖面 第一版.pdf", "圖面 第一版.pdf"),
        ("evil\u202efdp.exe", "evilfdp.exe"),
        ('quo"te<x>.pdf', "quo_te_x_.pdf"),
        (" .hidden.pdf ", "hidden.pdf"),
    ],
)
def test_a_name_keeps_no_path_and_no_tricks(typed, kept):
    assert clean_name(typed) == kept


def test_a_long_name_is_cut_before_its_ending():
    name = clean_name("x" * 500 + ".pdf")
    assert len(name) == MAX_NAME
    assert name.endswith("x.pdf")
