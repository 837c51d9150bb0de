"""Everything the customer got from us on paper: quotations, acknowledgements, notes, invoices.

Only files of his account that are not internal; invoices are the ERP's, as rows.
"""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from b2bcrm.files.downloads import answer
from b2bcrm.files.kinds import KIND_WORDS, FileKind
from b2bcrm.files.models import StoredFile
from b2bcrm.files.queries import of_account, open_for
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.portal.invoices import invoices_of
from b2bcrm.web.export import Column, export
from b2bcrm.web.locale import say
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import After, in_work

bp = Blueprint("portal_documents", __name__, template_folder="templates", url_prefix="/portal")

PER_PAGE = 25
PAPERS = (
    FileKind.QUOTE,
    FileKind.ACKNOWLEDGEMENT,
    FileKind.DELIVERY_NOTE,
    FileKind.CERTIFICATE,
    FileKind.ATTACHMENT,
)
_ALSO = {FileKind.ATTACHMENT: (FileKind.ATTACHMENT, FileKind.INQUIRY)}
INVOICES = "invoice"
COLUMNS: tuple[Column[StoredFile], ...] = (
    Column(Message("Kind"), lambda f: KIND_WORDS.get(f.kind, Message("Document"))),
    Column(Message("File name"), lambda f: f.name),
    Column(Message("Date"), lambda f: f.at),
)


@bp.get("/documents")
@in_work(read_only=True)
def documents(work: Work) -> ResponseReturnValue | After:
    """Files and invoices of the account, the newest first."""
    account_id = work.actor.account_id
    if account_id is None:
        raise not_found(Message("This page"))
    wish = asked(sorts=("at",), default="-at", filters=("kind", "q"), per_page=PER_PAGE)
    kind = wish.get("kind")
    papers: tuple[str, ...] = ()
    if kind in set(PAPERS):
        papers = _ALSO.get(FileKind(kind), (FileKind(kind),))
    files, total = of_account(
        work,
        account_id,
        kinds=papers,
        words=wish.get("q"),
        offset=wish.offset,
        limit=wish.limit,
    )
    if wish.format:
        return export(files, COLUMNS, wish.format, "documents")
    return render_template(
        "portal/documents.html",
        listing=Listing(files, total, wish),
        invoices=invoices_of(work, account_id) if kind in {"", INVOICES} else [],
        only_invoices=kind == INVOICES,
        kind_options=[
            *((kind.value, say(KIND_WORDS[kind])) for kind in PAPERS),
            (INVOICES, say(Message("Invoice"))),
        ],
        KIND_WORDS=KIND_WORDS,
        today=work.today,
    )


@bp.get("/files/<int:file_id>")
@in_work(read_only=True)
def download(work: Work, file_id: int) -> ResponseReturnValue | After:
    """One file of the account."""
    return answer(open_for(work, file_id))
