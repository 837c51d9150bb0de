"""A stored file on its way out: shown if harmless, else downloaded; never run, never sniffed."""

from __future__ import annotations

from flask import Response

from b2bcrm.files.models import StoredFile
from b2bcrm.files.store import path_of
from b2bcrm.kernel.errors import Unavailable
from b2bcrm.kernel.words import Message
from b2bcrm.web.files import send_content
from b2bcrm.web.work import After, supply


def answer(file: StoredFile) -> After:
    """The content, sent once the Work is closed. The caller has asked ``open_for``."""
    path = path_of(supply("files_dir"), file.digest)
    name, media_type = file.name, file.media_type  # the row is gone when the Work is

    def make() -> Response:
        if not path.is_file():
            raise Unavailable(Message("This file cannot be read right now."), code="file_missing")
        response = send_content(path, name, media_type, inline=True)
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    return After(make)
