"""The six families as numbers; the same sentence as a page, a fragment and problem+json."""

from __future__ import annotations

import re

import pytest
from structlog.testing import capture_logs

from b2bcrm.kernel import errors
from b2bcrm.kernel.words import Message
from b2bcrm.web import access
from tests.clients import client_for

SENTENCE = Message("Whole pieces only.")


@pytest.fixture
def failing(app, monkeypatch):
    """Adds /fail and /api/fail, which raise what the test puts into the list."""
    raised = []

    def fail():
        raise raised[0]

    for name, path in (("fail", "/fail"), ("api_fail", "/api/fail")):
        monkeypatch.setitem(access.ACCESS, name, access.ANYONE)
        app.add_url_rule(path, name, fail)
    return raised


@pytest.mark.parametrize(
    ("family", "status"),
    [
        (errors.NotFound, 404),
        (errors.NotAllowed, 403),
        (errors.Invalid, 422),
        (errors.Conflict, 409),
        (errors.StaleVersion, 409),
        (errors.Refused, 409),
        (errors.Unavailable, 503),
    ],
)
def test_each_family_has_its_number_and_says_its_sentence(client, failing, family, status):
    failing.append(family(SENTENCE, code="why", fields={"qty": SENTENCE}))
    page = client.get("/fail")
    assert page.status_code == status
    assert b"Whole pieces only." in page.data
    assert b"<html" in page.data
    fragment = client.get("/fail", headers={"HX-Request": "true"})
    assert fragment.status_code == status
    assert b'class="state"' in fragment.data
    assert b"<html" not in fragment.data
    problem = client.get("/api/fail")
    assert problem.status_code == status
    assert problem.mimetype == "application/problem+json"
    assert problem.json["detail"] == "Whole pieces only."
    assert problem.json["code"] == "why"
    assert problem.json["errors"] == {"qty": "Whole pieces only."}


def test_the_reader_gets_his_language(client, failing):
    failing.append(errors.Invalid(SENTENCE))
    page = client.get("/fail", headers={"Accept-Language": "zh-TW,zh;q=0.9"})
    assert "只能是整件。" in page.get_data(as_text=True)
    assert '<html lang="zh-Hant"' in page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("asked", "lang"),
    [
        ("de-DE,en;q=0.8", "en"),
        ("zh-CN", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("zh-HK", "zh-Hant"),
        ("zh-Hant-TW", "zh-Hant"),
        ("fr", "en"),
        ("", "en"),
    ],
)
def test_the_browsers_wish_chooses_the_language(client, asked, lang):
    page = client.get("/login", headers={"Accept-Language": asked}).get_data(as_text=True)
    assert f'<html lang="{lang}"' in page


def test_the_switch_is_stronger_than_the_browsers_wish(client):
    client.send("/language", locale="zh_Hans", next="/login")
    page = client.get("/login", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert '<html lang="zh-Hans"' in page
    assert client.send("/language", locale="xx").status_code == 400


def test_a_defect_gives_a_reference_number_that_stands_in_the_log(client, failing):
    failing.append(RuntimeError("the secret cause"))
    with capture_logs() as logs:
        page = client.get("/fail")
    assert page.status_code == 500
    reference = re.search(rb"Reference ([0-9a-f]{4}-[0-9a-f]{4})", page.data)[1].decode()
    assert b"secret cause" not in page.data
    assert logs[0]["reference"] == reference
    assert "the secret cause" in logs[0]["traceback"]
    assert client.get("/api/fail").json["code"] == "internal"


def test_the_log_of_a_defect_holds_no_variables(client, failing, app):
    failing.append(RuntimeError("x"))
    with capture_logs() as logs:
        client.get("/fail")
    assert app.secret_key not in str(logs)


@pytest.mark.parametrize("path", ["/no/such/page", "/api/no/such/thing"])
def test_an_unknown_address_is_not_found_in_the_askers_form(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert (answer.mimetype == "application/problem+json") == path.startswith("/api")


def test_a_wrong_method_names_the_right_ones(client):
    answer = client.put("/login")
    assert answer.status_code in (400, 405)
    answer = client.open("/profile", method="TRACE")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_ten_megabytes_of_text_are_refused_with_a_sentence(client):
    token = client.csrf_token()
    answer = client.post("/login", data={"csrf_token": token, "email": "x" * 10_000_000})
    assert answer.status_code == 413
    assert b"too large" in answer.data


def test_a_form_without_its_token_is_not_taken(client):
    answer = client.post("/login", data={"email": "a@b.example", "password": "x"})
    assert answer.status_code == 400
    assert b"This form is too old." in answer.data


def test_every_form_of_the_frame_carries_a_token(app, office):
    for client, path in ((app.test_client(), "/login"), (client_for(app, office), "/profile")):
        page = client.get(path).get_data(as_text=True)
        forms = re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL)
        assert forms
        assert all('name="csrf_token"' in form for form in forms)


def test_every_answer_carries_the_strict_policy(client):
    for path in ("/login", "/no/such/page", "/static/app.js", "/health"):
        headers = client.get(path, buffered=True).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_pages_of_a_person_are_never_kept_by_a_cache_but_files_with_a_digest_are(client):
    assert client.get("/login").headers["Cache-Control"] == "private, no-store"
    page = client.get("/login").get_data(as_text=True)
    script = re.search(r'src="(/static/app\.js\?v=[0-9a-f]{10})"', page)[1]
    assert "immutable" in client.get(script, buffered=True).headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/login", "/demo/components", "/demo/", "/forgot"])
def test_no_page_has_an_inline_script_or_style(client, path):
    page = client.get(path).get_data(as_text=True)
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert "<style" not in page
    assert not re.search(r"\son\w+=", page)
    for style in re.findall(r'style="([^"]*)"', page):
        assert all(part.strip().startswith("--") for part in style.split(";") if part.strip())
