"""What the JSON API under /api/v1 stands on: OpenAPI 3.1, exact decimals, problems, tokens.

A feature's ``api.py`` has a ``Blueprint`` of flask-smorest named ``bp``; a view reads::

    @bp.post("/orders")
    @in_work()                       # outermost, so that Idempotency-Key keeps the whole answer
    @bp.arguments(OrderIn)
    @bp.response(201, OrderOut)
    def create(work, data): ...

Schemas dump inside the Work. Errors are those of ``web.errors``: one table for pages and
programs. Not here: rules and SELECTs.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import flask_smorest
import marshmallow as ma
from flask import Flask
from flask_smorest import Blueprint

from b2bcrm.web.headers import csrf

PREFIX = "/api/v1"
WHOLE_DIGITS = 14


class MoneyField(ma.fields.Decimal):
    """An exact number as a JSON string; too many places are refused, never rounded.

    ``scale`` is the largest number of decimal places.
    """

    def __init__(self, scale: int = 4, **options: Any) -> None:
        pattern = rf"^-?[0-9]{{1,{WHOLE_DIGITS}}}(\.[0-9]{{1,{scale}}})?$"
        self._form = re.compile(pattern[1:-1])
        options["metadata"] = {"pattern": pattern, **options.get("metadata", {})}
        super().__init__(as_string=True, **options)

    def _deserialize(self, value: Any, *_place: Any, **_options: Any) -> Decimal:
        if not isinstance(value, str) or not self._form.fullmatch(value):
            raise self.make_error("invalid", input=value)
        return Decimal(value)


class Problem(ma.Schema):
    """An error as RFC 9457 says it; ``code`` is stable, ``detail`` is a sentence."""

    type = ma.fields.String()
    title = ma.fields.String()
    status = ma.fields.Integer()
    detail = ma.fields.String()
    code = ma.fields.String()
    errors = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())
    reference = ma.fields.String()


PROBLEM: dict[str, Any] = {"schema": Problem, "content_type": "application/problem+json"}
"""For ``@bp.alt_response(409, description=..., **PROBLEM)``."""


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest without its own error handler, which would turn pages into JSON."""

    ERROR_SCHEMA = Problem

    def init_app(self, app: Flask, **options: Any) -> None:
        """Also tell OpenAPI that a MoneyField is a string."""
        super().init_app(app, **options)
        self.register_field(MoneyField, "string", "decimal")
        self.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
        self.spec.options["security"] = [{"token": []}]

    def _register_responses(self) -> None:
        """As the base's, with the type that problems have."""
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM["content_type"]
        super()._register_responses()
        del self.DEFAULT_RESPONSE_CONTENT_TYPE  # the class has the usual one

    def _register_error_handlers(self) -> None:
        """``web.errors`` has them all."""


def init_app(app: Flask) -> Api:
    """The API of this app; its document is served at /api/v1/openapi.json."""
    app.config.update(
        API_TITLE="Order-centric CRM",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
    )
    return Api(app)


def register(api: Api, blueprint: Blueprint) -> None:
    """Add a feature's blueprint under /api/v1. Tokens stand in a header, so CSRF cannot happen."""
    csrf.exempt(blueprint)
    api.register_blueprint(blueprint, url_prefix=f"{PREFIX}{blueprint.url_prefix or ''}")
