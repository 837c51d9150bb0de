"""What staff and portal share at the edge: taking in an inquiry, signing, the PDF as answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from b2bcrm.documents.papers import PDF, quote_file_name, quote_pdf
from b2bcrm.files import queries as file_queries
from b2bcrm.files.kinds import FileKind
from b2bcrm.files.store import path_of
from b2bcrm.files.uploads import Upload, attach
from b2bcrm.kernel.actor import SYSTEM
from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.promise import Promising
from b2bcrm.quotes import actions, queries
from b2bcrm.quotes.models import Inquiry, Quote
from b2bcrm.quotes.schemas import wishes_of
from b2bcrm.web.answers import see_other
from b2bcrm.web.files import send_content
from b2bcrm.web.forms import Form
from b2bcrm.web.work import After, in_work, supply, writing

MOST_DIGITS = 9
Url = Callable[[str], str]


def promises(work: Work) -> Promising:
    """The promise port for this request's Work."""
    found: Promising = supply("promises")(work)
    return found


def version() -> int | None:
    """The version that the form was filled in on; None if it carries none."""
    typed = request.form.get("version", "")
    known = typed.isascii() and typed.isdigit() and len(typed) <= MOST_DIGITS
    return int(typed) if known else None


def take_inquiry(work: Work, form: Form, files: Iterable[Upload]) -> Inquiry:
    """Store a checked inquiry form with its files, as one act."""
    facts = dict(form.data)
    wishes = wishes_of(facts.pop("lines"))
    found = actions.create_inquiry(work, wishes=wishes, **facts)
    attach(
        work,
        files,
        subject="inquiry",
        subject_id=found.id,
        account_id=found.account_id,
        kind=FileKind.INQUIRY,
    )
    return found


def sign(
    quote_id: int, signed: dict[str, Any], *, to_order: Url, to_quote: Url
) -> ResponseReturnValue:
    """One Work accepts; where a sealed date no longer stands, another one offers new dates.

    ``signed`` is what ``AcceptSchema`` checked.
    """
    try:
        return _accept(quote_id, signed, to_order)
    except Refused as error:
        if error.code != "date_moved":
            raise
        return _offer_again(quote_id, error.message, to_quote)


@in_work()
def _accept(work: Work, quote_id: int, signed: dict[str, Any], to_order: Url) -> Any:
    order = actions.accept(
        work,
        quote_id,
        promises=promises(work),
        seal=signed["seal"],
        name=signed["name"],
        customer_po=signed["customer_po"],
    )
    return see_other(to_order(order.no), Message("Order %(no)s is entered.", no=order.no))


def _offer_again(quote_id: int, moved: Message, to_quote: Url) -> ResponseReturnValue:
    with writing() as work:
        queries.by_id(work, quote_id)  # NotFound for whoever may not see it
        work.actor = SYSTEM
        new = actions.reoffer(work, quote_id, promises=promises(work))
        text = Message(
            "%(moved)s Nothing was ordered. Please look at revision %(rev)s and accept that one.",
            moved=moved,
            rev=new.letter,
        )
        return see_other(to_quote(new.no), text, status="risk")


def answer_pdf(work: Work, quote: Quote) -> After:
    """The kept document of a sent revision, else one that is made after the Work is closed."""
    folder = supply("files_dir")
    files = file_queries.of_subject(work, "quote", quote.id) if quote.seal and folder else ()
    kept = [file for file in files if file.kind == FileKind.QUOTE]
    if kept:
        path, name = path_of(folder, kept[0].digest), kept[0].name
        if path.is_file():
            return After(lambda: send_content(path, name, PDF, inline=True))
    if quote.seal:
        content = queries.sealed_content(quote)
    else:
        content = queries.content_of(work, queries.facts_of(work, quote))
    seal = quote.seal
    return After(
        lambda: send_content(quote_pdf(content, seal), quote_file_name(content), PDF, inline=True)
    )
