"""The demo's mail folder."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading

import pytest

from b2bcrm.kernel.errors import Refused, Unavailable
from b2bcrm.ports.mail import Attachment, Mail
from connectors.mail.folder import FolderMailer, list_mails, read_mail

AT = dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)
PDF = Attachment("報價單 Q-26-2217.pdf", "application/pdf", b"%PDF-1.7\n\x00\xff")
MAIL = Mail(
    to=("buyer@kunde.example", "林小姐 <lin@kunde.example>"),
    subject="報價單 Q-26-2217 rev C",
    text="您好，\n報價單如附件。\n",
    html="<p>您好</p>",
    message_id="outbox-17-mail",
    reply_to="sales@formosa.example",
    attachments=(PDF,),
)


@pytest.fixture
def mailer(tmp_path):
    return FolderMailer(tmp_path / "mail", "Formosa <crm@formosa.example>", now=lambda: AT)


def test_a_mail_is_read_back_as_it_was_sent(mailer):
    mailer.send(MAIL)
    (head,) = list_mails(mailer.folder)
    mail = read_mail(mailer.folder, head.key)
    assert mail.subject == head.subject == MAIL.subject
    assert mail.to == ("buyer@kunde.example", "lin@kunde.example")
    assert mail.sent_at == AT
    assert mail.text.replace("\r\n", "\n") == MAIL.text
    assert "<p>您好</p>" in mail.html
    assert mail.attachments == (PDF,)


def test_the_same_message_id_is_written_once(mailer):
    mailer.send(MAIL)
    mailer.send(dataclasses.replace(MAIL, subject="another"))
    assert [m.subject for m in list_mails(mailer.folder)] == [MAIL.subject]


def test_many_threads_sending_one_mail_leave_one_whole_file(mailer):
    threads = [threading.Thread(target=mailer.send, args=(MAIL,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [p.suffix for p in mailer.folder.iterdir()] == [".eml"]
    assert list_mails(mailer.folder)[0].subject == MAIL.subject


def test_the_newest_mail_is_first(mailer):
    for number in range(3):
        mailer.send(dataclasses.replace(MAIL, message_id=f"m{number}", subject=f"no {number}"))
    subjects = [m.subject for m in list_mails(mailer.folder)]
    assert set(subjects) == {"no 0", "no 1", "no 2"}
    assert list_mails(mailer.folder, limit=1)[0].subject == subjects[0]


def test_a_line_break_in_the_subject_cannot_add_a_header(mailer):
    with pytest.raises(Refused):
        mailer.send(dataclasses.replace(MAIL, subject="Hi\r\nBcc: all@kunde.example"))
    assert list_mails(mailer.folder) == []


@pytest.mark.parametrize("to", ["", "nobody", "a@b.example\r\nBcc: c@d.example"])
def test_a_broken_address_is_refused(mailer, to):
    with pytest.raises(Refused):
        mailer.send(dataclasses.replace(MAIL, to=(to,)))


@pytest.mark.parametrize("key", ["../secret", "", "0" * 31, "0" * 32])
def test_a_foreign_key_reads_nothing(mailer, key):
    assert read_mail(mailer.folder, key) is None


def test_a_folder_that_cannot_be_made_is_tried_again_later(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        FolderMailer(tmp_path / "file" / "mail", "crm@formosa.example").send(MAIL)
