"""The only place that knows HTTP numbers of the six error families.

Programs under /api/ get problem+json with a stable ``code``; pages show the same sentence in
their own frame; htmx gets a ``.state`` fragment. Anything unforeseen is a 500 with a reference
number that stands in the log.
"""

from __future__ import annotations

import secrets
import traceback
from http import HTTPStatus

import structlog
from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from b2bcrm.kernel.errors import (
    Conflict,
    CrmError,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    StaleVersion,
    Unavailable,
)
from b2bcrm.kernel.words import Message
from b2bcrm.web.auth import API_PREFIX
from b2bcrm.web.forms import flat
from b2bcrm.web.locale import say
from b2bcrm.web.work import stop_reading

log = structlog.get_logger(__name__)

STATUS: tuple[tuple[type[CrmError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (NotAllowed, HTTPStatus.FORBIDDEN),
    (Invalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Conflict, HTTPStatus.CONFLICT),
    (Refused, HTTPStatus.CONFLICT),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)
TITLES: dict[int, Message] = {
    400: Message("This request was not understood"),
    401: Message("Please sign in"),
    403: Message("Not allowed"),
    404: Message("Not found"),
    405: Message("Not possible here"),
    409: Message("Not possible as it stands"),
    413: Message("Too large"),
    415: Message("This kind of content is not taken"),
    422: Message("Please check what was entered"),
    429: Message("Too many requests"),
    500: Message("Something went wrong on our side"),
    503: Message("Not available right now"),
}
SENTENCES: dict[int, Message] = {
    401: Message("Sign in, or send a valid token."),
    404: Message("There is nothing at this address, or it is not yours to see."),
    405: Message("This address does not take this kind of request."),
    413: Message("What was sent is too large. Nothing was stored."),
    415: Message("Send the content in one of the forms that the documentation names."),
    429: Message("Please wait a moment and try again."),
    500: Message("Nothing was stored. Tell us the reference number if it happens again."),
}
UNIQUE_VIOLATION = "23505"


def status_of(error: CrmError) -> HTTPStatus:
    """The HTTP number of an error's family."""
    for family, status in STATUS:
        if isinstance(error, family):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def answer(
    status: int,
    sentence: Message,
    *,
    code: str,
    fields: dict[str, Message] | None = None,
    facts: dict[str, str] | None = None,
    reference: str = "",
) -> Response:
    """One error in the form that the asker can use."""
    title = TITLES.get(status, TITLES[400])
    if request.path.startswith(API_PREFIX):
        problem = {
            **(facts or {}),
            "type": "about:blank",
            "title": say(title),
            "status": status,
            "detail": say(sentence),
            "code": code,
        }
        if fields:
            problem["errors"] = {name: say(text) for name, text in fields.items()}
        if reference:
            problem["reference"] = reference
        response = jsonify(problem)
        response.mimetype = "application/problem+json"
        if status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
    else:
        template = "state.html" if request.headers.get("HX-Request") else "error.html"
        response = make_response(
            render_template(
                template,
                status=status,
                title=title,
                sentence=sentence,
                fields=fields or {},
                reference=reference,
            )
        )
    response.status_code = status
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "30"
    return response


def _family(error: CrmError) -> ResponseReturnValue:
    stop_reading()
    return answer(
        status_of(error),
        error.message,
        code=error.code,
        fields=error.fields,
        facts=error.facts,
    )


def _stale(_error: StaleDataError) -> ResponseReturnValue:
    return _family(
        StaleVersion(
            Message("Somebody else has changed this meanwhile. Load the page again, then repeat.")
        )
    )


def _duplicate(error: IntegrityError) -> ResponseReturnValue:
    text = str(error.orig)
    if "UNIQUE" in text or getattr(error.orig, "sqlstate", "") == UNIQUE_VIOLATION:
        return _family(Conflict(Message("The same thing has just been stored already.")))
    return _unforeseen(error)


def _out_of_range(_error: Exception) -> ResponseReturnValue:
    return _family(NotFound(SENTENCES[404]))


def _csrf(_error: CSRFError) -> ResponseReturnValue:
    sentence = Message("This form is too old. Load the page again and repeat; nothing was stored.")
    return answer(400, sentence, code="csrf")


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if error.response is not None or status < HTTPStatus.BAD_REQUEST:
        return error.get_response()
    stop_reading()
    sentence = SENTENCES.get(status, Message("The request could not be read. Nothing was stored."))
    code = HTTPStatus(status).phrase.lower().replace(" ", "_")
    fields: dict[str, Message] = {}
    wrong = getattr(error, "data", {}).get("messages")  # of webargs: {"json": {field: [...]}}
    if wrong:
        sentence, code = Message("Please correct the marked fields."), Invalid.code
        fields = {name.partition(".")[2] or name: text for name, text in flat(wrong).items()}
    response = answer(status, sentence, code=code, fields=fields)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}:
            response.headers[name] = value
    return response


def _unforeseen(error: Exception) -> ResponseReturnValue:
    stop_reading()
    raw = secrets.token_hex(4)
    reference = f"{raw[:4]}-{raw[4:]}"
    actor = getattr(g.get("signed_in"), "actor", None)
    log.error(
        "unforeseen",
        reference=reference,
        method=request.method,
        path=request.path,
        user_id=getattr(actor, "user_id", None),
        # as text: a formatter that shows variables would put secrets into the log
        traceback="".join(traceback.format_exception(error)),
    )
    return answer(500, SENTENCES[500], code="internal", reference=reference)


def init_app(app: Flask) -> None:
    """Register the table."""
    app.register_error_handler(CrmError, _family)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(IntegrityError, _duplicate)
    app.register_error_handler(DataError, _out_of_range)
    app.register_error_handler(OverflowError, _out_of_range)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)
