"""The demo's own pages: logins, caught mail; absent where there is no demo."""

from __future__ import annotations

import functools
from types import SimpleNamespace

import pytest

from b2bcrm.app import create_app
from b2bcrm.desk.demo import DEMO_PASSWORD
from b2bcrm.kernel.actor import Role
from b2bcrm.ports.mail import Attachment, Mail
from connectors.mail.folder import FolderMailer, list_mails, read_mail
from tests.clients import make_app, make_settings, make_user

pytestmark = pytest.mark.db


@pytest.fixture
def caught(tmp_path):
    folder = tmp_path / "mail"
    mailer = FolderMailer(folder, "sales@formosa.example")
    reader = SimpleNamespace(
        list_mails=functools.partial(list_mails, folder),
        read_mail=functools.partial(read_mail, folder),
    )
    return mailer, reader


@pytest.fixture
def client(office, tmp_path, caught):
    return make_app(office, tmp_path, caught_mail=caught[1]).test_client()


def _mail(**facts):
    values = {
        "to": ("anna@kunde.example",),
        "subject": "Ihr Angebot Q-26-2217",
        "text": "Guten Tag",
        "html": "<p>Guten Tag</p><script>alert(1)</script>",
        "message_id": "quote-1",
        "attachments": (Attachment("Q.pdf", "application/pdf", b"%PDF-1.7"),),
    }
    return Mail(**{**values, **facts})


def test_a_login_of_the_demo_is_one_click(client, office):
    user = make_user(office, Role.PLANNER, password=DEMO_PASSWORD, name="Chen Wei-Ting")
    assert b"Chen Wei-Ting" in client.get("/demo/").data
    answer = client.send("/login", email=user.email, password=DEMO_PASSWORD)
    assert answer.status_code == 303


def test_without_mail_the_page_says_so(client):
    assert b"No mail yet" in client.get("/demo/mail").data


def test_a_caught_mail_is_shown_in_a_frame_in_which_nothing_runs(client, caught):
    caught[0].send(_mail())
    page = client.get("/demo/mail").get_data(as_text=True)
    assert "Ihr Angebot Q-26-2217" in page
    key = caught[1].list_mails()[0].key
    one = client.get(f"/demo/mail/{key}").get_data(as_text=True)
    assert "anna@kunde.example" in one
    assert "<script>alert" not in one
    body = client.get(f"/demo/mail/{key}/body")
    policy = body.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "frame-ancestors 'self'" in policy


def test_an_attachment_can_be_opened(client, caught):
    caught[0].send(_mail())
    key = caught[1].list_mails()[0].key
    answer = client.get(f"/demo/mail/{key}/attachments/0")
    assert (answer.data, answer.mimetype) == (b"%PDF-1.7", "application/pdf")
    assert client.get(f"/demo/mail/{key}/attachments/1").status_code == 404


@pytest.mark.parametrize("key", ["nothing", "..%2f..%2fsecret_key", "0" * 32])
def test_an_unknown_mail_is_not_found(client, key):
    assert client.get(f"/demo/mail/{key}").status_code == 404


def test_a_real_installation_has_no_demo_pages(office, tmp_path):
    client = create_app(office, make_settings(tmp_path, demo=False)).test_client()
    for path in ("/demo/", "/demo/components", "/demo/mail"):
        assert client.get(path).status_code == 404
    assert b"/demo" not in client.get("/login").data
