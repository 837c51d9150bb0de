"""The SMTP adapter against a small server that speaks by a script."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from email import message_from_bytes
from email.policy import default

import pytest

from b2bcrm.kernel.errors import Refused, Unavailable
from b2bcrm.ports.mail import Mail
from connectors.mail.smtp import Security, SmtpMailer

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
AT = dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)
MAIL = Mail(("buyer@kunde.example",), "Order 接受", "text\n", "<p>text</p>", "outbox-9")


class Scripted:
    """Takes one connection; ``replies`` overrides the answer to a command."""

    def __init__(self, replies=None, *, silent=False) -> None:
        self.replies = replies or {}
        self.silent = silent
        self.got: list[bytes] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        connection, _ = self.socket.accept()
        with connection, connection.makefile("rwb", buffering=0) as file:
            if self.silent:
                file.read(1)
                return
            file.write(b"220 ready\r\n")
            while line := file.readline():
                word = line[:4].strip().upper().decode()
                if word == "DATA" and "DATA" not in self.replies:
                    file.write(b"354 go on\r\n")
                    while (part := file.readline()) != b".\r\n":
                        self.got.append(part)
                    file.write(self.replies.get(".", "250 kept").encode() + b"\r\n")
                    continue
                answer = self.replies.get(word, "221 bye" if word == "QUIT" else "250 ok")
                file.write(answer.encode() + b"\r\n")
                if word == "QUIT":
                    return

    def close(self):
        self.socket.close()
        self.thread.join(5)


@pytest.fixture
def server():
    made = []

    def make(*args, **kwargs):
        made.append(Scripted(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.close()


def mailer(port, **changes):
    settings = {"security": Security.NONE, "timeout_s": 2.0, "now": lambda: AT} | changes
    return SmtpMailer("127.0.0.1", port, "Formosa <crm@formosa.example>", **settings)


def test_a_mail_arrives_whole_and_with_a_stable_id(server):
    peer = server()
    mailer(peer.port).send(MAIL)
    message = message_from_bytes(b"".join(peer.got), policy=default)
    assert message["Subject"] == MAIL.subject
    assert message["Message-ID"] == "<outbox-9@b2bcrm>"
    assert message["Date"].datetime == AT
    assert message.get_body(("plain",)).get_content().splitlines() == ["text"]


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ({"RCPT": "550 no such user"}, Refused),
        ({"RCPT": "451 later"}, Unavailable),
        ({"MAIL": "421 busy"}, Unavailable),
        ({".": "554 looks like spam"}, Refused),
        ({".": "452 disk full"}, Unavailable),
        ({"DATA": "554 no"}, Refused),
    ],
)
def test_what_the_server_says_decides_whether_to_try_again(server, replies, error):
    with pytest.raises(error):
        mailer(server(replies).port).send(MAIL)


def test_one_refused_address_of_two_is_named_and_nobody_gets_it_twice(server):
    class Half(dict):
        def get(self, word, other=None):
            if word != "RCPT":
                return other
            self["n"] = self.setdefault("n", 0) + 1
            return "250 ok" if self["n"] == 1 else "550 unknown"

    mail = Mail(("a@kunde.example", "b@kunde.example"), "s", "t", "", "m")
    with pytest.raises(Refused) as caught:
        mailer(server(Half(n=0)).port).send(mail)
    assert caught.value.code == "mail_partly_refused"
    assert "b@kunde.example" in str(caught.value)


def test_a_server_that_never_speaks_is_given_up(server):
    with pytest.raises(Unavailable):
        mailer(server(silent=True).port, timeout_s=0.2).send(MAIL)


def test_a_closed_port_is_tried_again_later():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(Unavailable):
        mailer(port).send(MAIL)


def test_without_tls_on_the_other_side_nothing_is_sent_in_the_clear(server):
    peer = server()
    with pytest.raises(Refused):
        mailer(peer.port, security=Security.STARTTLS).send(MAIL)
    assert peer.got == []


def test_the_password_is_not_in_the_repr():
    assert "hidden-word" not in repr(SmtpMailer("h", 25, "s@e.example", "u", "hidden-word"))
