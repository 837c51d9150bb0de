"""docs/connect-your-erp.md, walked as it is written: its commands, its edits, what it shows."""

from __future__ import annotations

import re
import shlex
import shutil
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from connectors.erp.contract.checks import CHECKS
from connectors.erp.profile import PROFILE_DIR
from tests.cli.erp.kontor_erp import FOLDER, Kontor

DOCUMENT = (Path(__file__).parents[3] / "docs" / "connect-your-erp.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRITTEN_ADDRESS = "http://127.0.0.1:8090"


@pytest.fixture
def kontor():
    with ThreadingHTTPServer(("127.0.0.1", 0), Kontor().handler()) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def sections(text):
    """A profile's text by its table headers."""
    found = {"": ""}
    name = ""
    for line in text.splitlines(keepends=True):
        if header := re.match(r"\[([^\[\]]+)\]", line):
            name = header[1]
            found[name] = ""
        found[name] += line
    return found


def put_in(path, edits):
    """Tables take the place of those of the same name, or are added."""
    known = sections(path.read_text()) | {k: v for k, v in sections(edits).items() if k}
    path.write_text("\n".join(known.values()))


def shape(line):
    """A line of output without what differs from run to run."""
    return re.sub(r"\b[0-9a-f]{16,}\b|[0-9]+", "#", " ".join(line.split()))


@pytest.mark.slow
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_walk_through_works_as_it_is_written(crm, kontor, tmp_path, monkeypatch):
    for file in FOLDER.iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ERP_PASSWORD", "open")
    done = ""
    commands = 0
    for kind, text in BLOCK.findall(DOCUMENT):
        if kind == "toml":
            put_in(tmp_path / "kontor.toml", text)
        elif kind == "sh":
            words = shlex.split(text.replace(WRITTEN_ADDRESS, kontor))
            assert words[0] == "./crm"
            if "changed.toml" in words:
                changed = (tmp_path / "kontor.toml").read_text()
                changed = changed.replace('name = "CustomerName"', 'name = "SearchName"')
                changed = changed.replace(
                    'short_name = "SearchName"', 'short_name = {same = "name"}'
                )
                (tmp_path / "changed.toml").write_text(changed)
            result = crm(*words[1:])
            assert result.exit_code == 0, result.output
            done, commands = result.output, commands + 1
        elif kind == "text":
            shown = {shape(line) for line in done.splitlines()}
            for line in text.splitlines():
                assert shape(line) in shown, f"{line!r} is not among:\n{done}"
    assert commands == 7
    assert list((tmp_path / "report").glob("*-writes.pdf"))


def test_the_document_names_every_check():
    table = DOCUMENT.partition("## The thirty checks")[2]
    assert all(f"`{check.name}`" in table for check in CHECKS)


def test_the_document_names_every_shipped_profile():
    shipped = {path.stem for path in PROFILE_DIR.glob("*.toml")}
    table = DOCUMENT.partition("## Shipped profiles")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z0-9-]+)`", table, re.MULTILINE)) == shipped
