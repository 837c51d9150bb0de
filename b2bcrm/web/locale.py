"""The reader's language: his setting, else the cookie of the switch, else what the browser asks.

Locales are en, zh_Hant and zh_Hans as in ``kernel.words``; ``lang`` attributes use a hyphen.
"""

from __future__ import annotations

from flask import Flask, Response, current_app, g, has_request_context, request
from flask_babel import Babel

from b2bcrm.kernel.words import LOCALES, TRANSLATIONS_DIR, Message, render

COOKIE = "crm_locale"
YEAR_S = 365 * 24 * 3600
NAMES = {"en": "English", "zh_Hant": "繁體中文", "zh_Hans": "简体中文"}
SHORT = {"en": "EN", "zh_Hant": "繁", "zh_Hans": "简"}
_ASKED = {
    "en": "en",
    "zh": "zh_Hans",
    "zh-cn": "zh_Hans",
    "zh-sg": "zh_Hans",
    "zh-hans": "zh_Hans",
    "zh-hans-cn": "zh_Hans",
    "zh-tw": "zh_Hant",
    "zh-hk": "zh_Hant",
    "zh-mo": "zh_Hant",
    "zh-hant": "zh_Hant",
    "zh-hant-tw": "zh_Hant",
    "zh-hant-hk": "zh_Hant",
}


def current_locale() -> str:
    """The locale of this request; English outside of one."""
    try:
        # Asked hundreds of times per page: past the proxy, which costs more than the answer.
        found: str = g._get_current_object().locale  # noqa: SLF001 - werkzeug's way past it
    except (AttributeError, RuntimeError):
        if not has_request_context():
            return "en"
        found = g.locale = _choose()
    return found


def forget() -> None:
    """Choose anew, after a sign-in has told whose request this is."""
    g.pop("locale", None)


def _choose() -> str:
    signed_in = g.get("signed_in")
    if signed_in is not None and signed_in.actor.locale in LOCALES:
        return str(signed_in.actor.locale)
    cookie = request.cookies.get(COOKIE, "")
    if cookie in LOCALES:
        return cookie
    for language, _quality in request.accept_languages:
        asked = language.lower().replace("_", "-")
        found = _ASKED.get(asked) or _ASKED.get(asked.split("-", maxsplit=1)[0])
        if found:
            return found
    return "en"


def lang(locale: str | None = None) -> str:
    """The value of an HTML ``lang`` attribute: ``zh-Hant``."""
    return (locale or current_locale()).replace("_", "-")


def say(message: Message | str) -> str:
    """The sentence in the reader's language."""
    return render(message, current_locale())


def set_cookie(response: Response, locale: str) -> None:
    """Remember the language for pages before sign-in."""
    response.set_cookie(
        COOKIE,
        locale,
        max_age=YEAR_S,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def init_app(app: Flask) -> None:
    """Flask-Babel with our catalogues and the selector above."""
    Babel(
        app,
        default_translation_directories=str(TRANSLATIONS_DIR),
        locale_selector=current_locale,
    )
