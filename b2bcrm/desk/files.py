"""Stored files for staff."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from b2bcrm.files.downloads import answer
from b2bcrm.files.queries import open_for
from b2bcrm.kernel.work import Work
from b2bcrm.web.work import After, in_work

bp = Blueprint("desk_files", __name__)


@bp.get("/files/<int:file_id>")
@in_work(read_only=True)
def download(work: Work, file_id: int) -> ResponseReturnValue | After:
    """One file."""
    return answer(open_for(work, file_id))
