"""Forms checked by the same marshmallow schemas as the API, with a sentence at each field.

``read_form`` never raises: a view shows the form again with ``form.errors``, or goes on with
``form.data``. Errors that an action raises are put beside their fields by ``form.add``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError

from b2bcrm.kernel.errors import CrmError, Invalid
from b2bcrm.kernel.words import Message
from b2bcrm.web.work import REQUEST_KEY_FIELD

WHOLE = "_form"
"""The key of errors that belong to no single field."""

_KNOWN: dict[str, Message] = {
    "Missing data for required field.": Message("This field is needed."),
    "Field may not be null.": Message("This field is needed."),
    "Unknown field.": Message("This field is not known."),
    "Not a valid string.": Message("This is not a text."),
    "Not a valid integer.": Message("This is not a whole number."),
    "Not a valid number.": Message("This is not a number."),
    "Special numeric values (nan or infinity) are not permitted.": Message("This is not a number."),
    "Not a valid boolean.": Message("This must be yes or no."),
    "Not a valid date.": Message("This is not a date."),
    "Not a valid datetime.": Message("This is not a date with a time."),
    "Not a valid email address.": Message("This is not an e-mail address."),
    "Not a valid URL.": Message("This is not a web address."),
    "Not a valid list.": Message("This is not a list."),
    "Invalid input type.": Message("This has the wrong form."),
    "Invalid value.": Message("This value is not possible."),
}
_PATTERNS: tuple[tuple[re.Pattern[str], Message], ...] = (
    (re.compile(r"Shorter than minimum length (\d+)"), Message("At least %(n)s characters.")),
    (re.compile(r"Longer than maximum length (\d+)"), Message("At most %(n)s characters.")),
    (re.compile(r"Must be greater than or equal to ([-\d.]+)"), Message("At least %(n)s.")),
    (re.compile(r"Must be less than or equal to ([-\d.]+)"), Message("At most %(n)s.")),
    (re.compile(r"Must be greater than ([-\d.]+)"), Message("More than %(n)s.")),
    (re.compile(r"Must be less than ([-\d.]+)"), Message("Less than %(n)s.")),
    (re.compile(r"Must be one of"), Message("This value is not possible.")),
)
_OTHER = Message("This value is not possible.")


def sentence(raw: Any) -> Message:
    """A validator's complaint as a Message; our own validators give Messages already."""
    if isinstance(raw, Message):
        return raw
    text = str(raw)
    if text in _KNOWN:
        return _KNOWN[text]
    for pattern, message in _PATTERNS:
        found = pattern.match(text)
        if found:
            return Message(message.id, n=found[1].rstrip(".")) if found.groups() else message
    return _OTHER


def flat(messages: Any, path: str = "") -> dict[str, Message]:
    """Marshmallow's nested errors as ``{"lines.0.qty": sentence}``, the first one per field."""
    if isinstance(messages, Mapping):
        result: dict[str, Message] = {}
        for key, inner in messages.items():
            name = WHOLE if key == "_schema" and not path else str(key)
            result.update(flat(inner, f"{path}.{name}" if path else name))
        return result
    first = messages[0] if isinstance(messages, list) and messages else messages
    return {path or WHOLE: sentence(first)}


@dataclass
class Form:
    """What was typed, what it means, and what is wrong with it."""

    values: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Message] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.errors

    def add(self, error: CrmError) -> None:
        """Put an action's complaint at its fields, or above the form."""
        if error.fields:
            self.errors.update(error.fields)
        else:
            self.errors[WHOLE] = error.message

    @contextmanager
    def catching(self) -> Iterator[None]:
        """Collect Invalid raised inside; the view then answers 422, which undoes the Work."""
        try:
            yield
        except Invalid as error:
            self.add(error)

    def raise_if_wrong(self) -> None:
        """Raise Invalid with all fields, for views that have no form to show again."""
        if self.errors:
            raise Invalid(Message("Please correct the marked fields."), fields=self.errors)


SHOW_FORM = {"X-Form": "again"}
"""Header of an answer that is the form again though it is no 422: the page shows it in place."""

_INDEXED = re.compile(r"([a-z_]+)-(\d{1,4})-([a-z_]+)")
MAX_ROWS = 500


def typed() -> dict[str, Any]:
    """The posted fields: ``lines-0-qty`` becomes ``{"lines": [{"qty": ...}]}``.

    Text is stripped, empty fields are left out, so that a missing and an empty one are the same.
    """
    plain: dict[str, Any] = {}
    rows: dict[str, dict[int, dict[str, str]]] = {}
    for name, raw in request.form.items():
        value = raw.replace("\0", "").strip()
        if name in {"csrf_token", REQUEST_KEY_FIELD} or not value:
            continue
        found = _INDEXED.fullmatch(name)
        if found:
            rows.setdefault(found[1], {}).setdefault(int(found[2]), {})[found[3]] = value
        else:
            plain[name] = value
    for name, numbered in rows.items():
        plain[name] = [numbered[i] for i in sorted(numbered)][:MAX_ROWS]
    return plain


def read_form(schema: Schema, values: dict[str, Any] | None = None) -> Form:
    """Check what was posted (or ``values``) with ``schema``; unknown fields are left out."""
    given = typed() if values is None else values
    try:
        return Form(values=given, data=dict(schema.load(given, unknown=EXCLUDE)))
    except ValidationError as error:
        return Form(values=given, errors=flat(error.messages))
