"""A request becomes one Work: opened at the edge, committed before the answer leaves.

``in_work`` wraps a view. A read-only view shares the Work in which the session was looked up;
a writing view gets one of its own. Not in Flask's teardown: an error there would escape the
error table.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec

from flask import Flask, Response, current_app, g, make_response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from b2bcrm.kernel import idempotency
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.work import Office, Work

P = ParamSpec("P")
View = Callable[Concatenate[Work, P], "ResponseReturnValue | After"]

_current: ContextVar[Work | None] = ContextVar("current_work", default=None)

NOBODY = Actor(name="-", role=Role.BUYER)
"""Who acts before sign-in: a buyer of no account, who sees nothing and may do nothing."""

REQUEST_KEY_FIELD = "request_key"
FIRST_ERROR = 400
REDIRECTION = 3
_KEPT_HEADERS = ("Content-Type", "ETag", "Location")
_UNSIGNED_FIELDS = frozenset({REQUEST_KEY_FIELD, "csrf_token"})


@dataclass(frozen=True)
class After:
    """An answer that is made once the Work is closed: exports and documents take long."""

    make: Callable[[], ResponseReturnValue]


class _UndoneError(Exception):
    """Carries an answer out of a Work whose changes must not stay."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def _undo(response: Response) -> None:
    raise _UndoneError(response)


def office() -> Office:
    """The office that ``create_app`` was given."""
    found: Office = current_app.extensions["office"]
    return found


def supply(name: str) -> Any:
    """What ``create_app`` was given under ``name``: ``promises``, ``files``, ``caught_mail`` ...

    None if it was not given.
    """
    return current_app.extensions["supplies"].get(name)


def acting() -> Actor:
    """Who acts in this request; ``NOBODY`` before sign-in."""
    signed_in = g.get("signed_in")
    return NOBODY if signed_in is None else signed_in.actor


def reading() -> Work:
    """This request's read-only Work, opened at its first use and closed by ``stop_reading``."""
    if "reading" not in g:
        stack = ExitStack()
        opened = stack.enter_context(office().open(NOBODY, read_only=True))
        stack.callback(_current.reset, _current.set(opened))
        g.reading = (stack, opened)
    work: Work = g.reading[1]
    work.actor = acting()
    return work


def stop_reading() -> None:
    """Give the read-only Work's connection back, if there is one."""
    opened = g.pop("reading", None)
    if opened is not None:
        opened[0].close()


@contextmanager
def writing(actor: Actor | None = None) -> Iterator[Work]:
    """A writing Work that commits when the block ends, for the few views that need two."""
    stop_reading()
    with office().open(actor or acting()) as work:
        before = _current.set(work)
        try:
            yield work
        finally:
            _current.reset(before)


def current_work() -> Work | None:
    """The Work that is open now, for filters and the page frame; None outside a view."""
    return _current.get()


def in_work(*, read_only: bool = False) -> Callable[[View[P]], Callable[P, ResponseReturnValue]]:
    """Call the view with a Work; commit if it answers below 400, then send the answer.

    An exception or an answer of 400 and above undoes all changes. A form that carries a
    ``request_key`` is done once: sent again, it gets the first answer's redirect.
    """

    def decorate(view: View[P]) -> Callable[P, ResponseReturnValue]:
        @functools.wraps(view)
        def call(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if read_only:
                answer = view(reading(), *args, **kwargs)
                stop_reading()
                return answer.make() if isinstance(answer, After) else answer
            return _write(lambda work: view(work, *args, **kwargs))

        return call

    return decorate


def _write(act: Callable[[Work], ResponseReturnValue | After]) -> ResponseReturnValue:
    key = _request_key()
    try:
        with writing() as work:
            if key and (earlier := _answered(work, key)) is not None:
                return earlier
            answer = act(work)
            if isinstance(answer, After):
                later = answer
            else:
                response = make_response(answer)
                if response.status_code >= FIRST_ERROR:
                    _undo(response)
                if key:
                    _remember(work, key, response)
                return response
        return later.make()
    except _UndoneError as undone:
        return undone.response
    except IntegrityError:
        # The same form sent twice at once: the other one has just stored this key.
        if key and (earlier := _answered(reading(), key)) is not None:
            stop_reading()
            return earlier
        raise


def _request_key() -> str:
    """A form's hidden key, or a program's Idempotency-Key."""
    header = request.headers.get("Idempotency-Key", "")
    return (header or request.form.get(REQUEST_KEY_FIELD, ""))[:120]


def _scope() -> str:
    actor = acting()
    return f"user:{actor.user_id}" if actor.user_id else "nobody"


def _digest() -> str:
    if request.is_json:
        return idempotency.digest_of(request.path.encode(), request.get_data())
    fields = sorted((k, v) for k, v in request.form.items(multi=True) if k not in _UNSIGNED_FIELDS)
    names = sorted(f"{field}={file.filename}" for field, file in request.files.items(multi=True))
    return idempotency.digest_of(
        request.path.encode(),
        *(f"{k}={v}".encode() for k, v in fields),
        *(name.encode() for name in names),
    )


def _answered(work: Work, key: str) -> ResponseReturnValue | None:
    stored = idempotency.answered(work.session, _scope(), key, _digest())
    if stored is None:
        return None
    location = str(stored.get("location") or "")
    if "body" in stored:
        return Response(stored["body"], stored["status"], stored["headers"])
    if request.headers.get("HX-Request"):
        return "", 204, {"HX-Redirect": location}
    return redirect(location, 303)


def _remember(work: Work, key: str, response: Response) -> None:
    if response.location and response.status_code // 100 == REDIRECTION:
        answer: dict[str, Any] = {"location": response.location}
    elif response.is_json:
        kept = {n: response.headers[n] for n in _KEPT_HEADERS if n in response.headers}
        text = response.get_data(as_text=True)
        answer = {"status": response.status_code, "body": text, "headers": kept}
    else:
        return
    idempotency.remember(work.session, _scope(), key, _digest(), answer=answer, at=work.tick)


def init_app(app: Flask, office_: Office, supplies: dict[str, Any]) -> None:
    """Keep the office and the supplies, and close a Work that an error left open."""
    app.extensions["office"] = office_
    app.extensions["supplies"] = supplies

    @app.teardown_request
    def _close(_error: BaseException | None) -> None:
        stop_reading()
