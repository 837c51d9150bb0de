"""``crm erp wsdl``: what is taken, what is refused, and that nothing refused leaves a trace."""

from __future__ import annotations

import http.server
import shutil
import threading

import pytest

from connectors.erp import site_wsdl, wsdls

TWIN = wsdls.WSDL_DIR / "twin-1"
WSDL_NS = 'xmlns="http://schemas.xmlsoap.org/wsdl/"'


@pytest.fixture
def source(tmp_path):
    """The twin's WSDL in a folder of its own, its schema one folder below."""
    home = tmp_path / "their files"
    (home / "types").mkdir(parents=True)
    text = (TWIN / "erp.wsdl").read_text()
    assert 'schemaLocation="erp.xsd"' in text
    text = text.replace('schemaLocation="erp.xsd"', 'schemaLocation="types/erp.xsd"')
    (home / "Service.WSDL").write_text(text)
    shutil.copy(TWIN / "erp.xsd", home / "types")
    return home / "Service.WSDL"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data" / "wsdl"


@pytest.fixture
def site(source):
    """The same files on loopback; its address and what was asked for."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(source.parent))

        def do_GET(self):
            asked.append((self.path, self.headers.get("Authorization")))
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/Service.WSDL")
                self.end_headers()
            else:
                super().do_GET()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


def test_a_file_is_stored_with_its_imports_and_loads_offline(crm, source, folder):
    done = crm("erp", "wsdl", "add", source, "--as", "formosa")
    assert done.exit_code == 0, done.output
    assert 'wsdl = "site:formosa/formosa.wsdl"' in done.output
    found = {p.name for p in (folder / "formosa").iterdir()}
    assert found == {"formosa.wsdl", "formosa-1.xsd", "formosa.wsdl.json"}
    shutil.rmtree(source.parent)
    assert site_wsdl.count_operations(folder / "formosa" / "formosa.wsdl") > 20
    (stored,) = site_wsdl.listed(folder)
    assert stored.digest in done.output
    assert stored.digest == wsdls.digest([folder / stored.name])


def test_several_services_of_one_erp_share_a_folder(crm, source, folder):
    for service in ("order", "item"):
        assert crm("erp", "wsdl", "add", source, "--as", f"erp/{service}.wsdl").exit_code == 0
    assert [stored.name for stored in site_wsdl.listed(folder)] == [
        "erp/item.wsdl",
        "erp/order.wsdl",
    ]
    assert site_wsdl.count_operations(
        wsdls.resolve("site:erp/order.wsdl", site=str(folder), folder="")
    )


def test_without_a_name_the_files_name_is_taken(crm, source, folder):
    assert crm("erp", "wsdl", "add", source).exit_code == 0
    assert (folder / "service" / "service.wsdl").is_file()


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_an_address_is_read_once_with_its_login(crm, site, folder):
    url, asked = site
    options = ["--as", "x", "--user", "crm", "--secret-env", "ERP_PASSWORD_HERE"]
    done = crm("erp", "wsdl", "add", f"{url}/Service.WSDL", *options)
    assert done.exit_code == 0, done.output
    assert [path for path, _ in asked] == ["/Service.WSDL", "/types/erp.xsd"]
    assert all(login for _, login in asked)
    assert "127.0.0.1" not in (folder / "x" / "x.wsdl").read_text().split("<service")[0]
    listed = crm("erp", "wsdl", "list").output
    assert "site:x" in listed
    assert url in listed


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize(("path", "said"), [("/moved", "HTTP 302"), ("/nothing", "HTTP 404")])
def test_an_address_that_is_not_the_wsdl_itself_is_refused(crm, site, folder, path, said):
    done = crm("erp", "wsdl", "add", f"{site[0]}{path}", "--as", "x")
    assert done.exit_code == 1
    assert said in done.output
    assert list(folder.iterdir()) == []


def test_a_name_is_given_once_unless_it_is_to_be_replaced(crm, source, folder):
    crm("erp", "wsdl", "add", source, "--as", "x")
    again = crm("erp", "wsdl", "add", source, "--as", "x")
    assert "x/x.wsdl is there already" in again.output
    schema = source.parent / "types" / "erp.xsd"
    schema.write_text("<!-- changed --></".join(schema.read_text().rsplit("</", 1)))
    replaced = crm("erp", "wsdl", "add", source, "--as", "x", "--replace")
    assert replaced.exit_code == 0, replaced.output
    assert "certify again" in replaced.output
    assert len(site_wsdl.listed(folder)) == 1


def definitions(inside=""):
    return f"<definitions {WSDL_NS}>{inside}</definitions>"


BAD = [
    ("no file", None, "cannot be read"),
    ("not XML", "<definitions", "is not XML"),
    ("another root", "<html/>", "is no WSDL 1.1"),
    ("a document type", f"<!DOCTYPE definitions>{definitions()}", "declares a document type"),
    ("no operations", definitions(), "no binding with operations"),
    ("a foreign host", definitions('<import namespace="u" location="http://other.test/a"/>'),
     "--allow other.test"),
    ("outside of its folder", definitions('<import namespace="u" location="../../a.wsdl"/>'),
     "outside of the WSDL's folder"),
    ("another scheme", definitions('<import namespace="u" location="ftp://h/a"/>'),
     "cannot be taken"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), [pytest.param(t, s, id=i) for i, t, s in BAD])
def test_what_cannot_be_used_gets_one_sentence_and_leaves_nothing(
    crm, tmp_path, folder, text, said
):
    path = tmp_path / "deep" / "bad.wsdl"
    path.parent.mkdir()
    if text is not None:
        path.write_text(text)
    done = crm("erp", "wsdl", "add", path)
    assert done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ftp://h/x.wsdl"], "only files and http(s) addresses"),
        (["x.wsdl", "--as", "Not A Name"], "is no name"),
        (["x.wsdl", "--user", "u", "--secret-env", "NO_SUCH"], "there is no such variable"),
    ],
)
def test_wrong_input_gets_one_sentence(crm, words, said):
    done = crm("erp", "wsdl", "add", *words)
    assert done.exit_code != 0
    assert said in done.output


def test_a_file_that_is_too_large_is_refused(crm, source, folder, monkeypatch):
    monkeypatch.setattr(site_wsdl, "FILE_CAP", 100)
    assert "larger than" in crm("erp", "wsdl", "add", source).output


def test_an_empty_folder_says_how_to_fill_it(crm):
    assert "crm erp wsdl add" in crm("erp", "wsdl", "list").output
