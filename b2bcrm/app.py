"""The Flask application: joins the office, the sign-in store, the pages and the error table.

No logic lives here. ``bootstrap`` calls ``create_app`` with what the pages need from outside.
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any

from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from b2bcrm.kernel import logs
from b2bcrm.kernel.work import Office, Work
from b2bcrm.settings import Settings
from b2bcrm.sync.queries import freshness
from b2bcrm.users.passwords import Passwords
from b2bcrm.users.sessions import DatabaseSessions
from b2bcrm.web import (
    access,
    api,
    auth,
    errors,
    filters,
    frame,
    headers,
    limits,
    locale,
    pieces,
    work,
)
from b2bcrm.web.answers import see_other
from b2bcrm.web.frame import ErpAge
from b2bcrm.web.templating import PageEnvironment

# One module per page or feature, each with a blueprint ``bp``; add yours to its group.
PAGES: tuple[str, ...] = (
    "b2bcrm.users.views",
    # features: acts, forms, row fragments
    "b2bcrm.orders.views",
    "b2bcrm.fulfillment.views",
    # desk
    "b2bcrm.desk.fulfillment",
    "b2bcrm.desk.fulfillment_lines",
    "b2bcrm.desk.fulfillment_views",
    "b2bcrm.desk.impact",
    "b2bcrm.desk.proposals",
    "b2bcrm.desk.whatif",
    "b2bcrm.desk.erp",
    "b2bcrm.desk.erp_connections",
    "b2bcrm.desk.erp_feed",
    "b2bcrm.desk.order",
    "b2bcrm.desk.orders",
    "b2bcrm.desk.account_acts",
    "b2bcrm.desk.account_erp",
    "b2bcrm.desk.accounts",
    "b2bcrm.desk.items",
    "b2bcrm.desk.planning",
    "b2bcrm.desk.sureness",
    "b2bcrm.desk.search",
    "b2bcrm.desk.files",
    "b2bcrm.desk.service",
    "b2bcrm.desk.inquiries",
    "b2bcrm.desk.quote_editor",
    "b2bcrm.desk.quotes",
    # portal
    "b2bcrm.portal.inquiries",
    "b2bcrm.portal.quotes",
    "b2bcrm.portal.orders",
    "b2bcrm.portal.cases",
    "b2bcrm.portal.documents",
)
API_PAGES: tuple[str, ...] = (
    # flask-smorest blueprints, see web/api.py
    "b2bcrm.orders.api",
    "b2bcrm.quotes.api",
    "b2bcrm.desk.erp_confirmations",
)
DEMO_PAGES: tuple[str, ...] = ("b2bcrm.desk.demo",)

MEGABYTE = 1_000_000
UPLOAD_MB = 25
LARGEST_ID = 2**63 - 1


class _IdConverter(IntegerConverter):
    """Whole numbers that the databases can hold; a larger one is simply not found."""

    def __init__(self, map: Any, **kwargs: Any) -> None:  # noqa: A002 - werkzeug's name
        super().__init__(map, **{"max": LARGEST_ID, **kwargs})


def create_app(office: Office, settings: Settings, **supplies: Any) -> Flask:
    """The web application.

    ``supplies`` is what pages ask for by ``web.work.supply(name)``:
    ``promises`` (Work -> Promising), ``files_dir``, ``mailer``, ``erp_age`` (Work -> ErpAge or
    None), ``caught_mail`` (the demo's folder of mail), and whatever a feature adds.
    """
    app = Flask(__name__, root_path=str(_web_folder()))
    app.url_map.converters["int"] = _IdConverter
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="crm_form",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=UPLOAD_MB * MEGABYTE,
        MAX_FORM_MEMORY_SIZE=headers.LARGEST_TEXT,
        MAX_FORM_PARTS=5000,
    )
    if settings.secure:  # behind one proxy that ends https
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    app.jinja_environment = PageEnvironment
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True

    supplies.setdefault("passwords", Passwords(cheap=settings.cheap_passwords))
    supplies.setdefault("settings", settings)
    work.init_app(app, office, supplies)
    auth.init_app(app, DatabaseSessions())
    errors.init_app(app)
    limits.init_app(
        app,
        redis_url=settings.redis_url,
        per_token=settings.api_per_token,
        per_address=settings.api_per_address,
    )
    access.init_app(app)
    headers.init_app(app)
    locale.init_app(app)
    filters.init_app(app)
    pieces.init_app(app)
    frame.init_app(app)
    app.jinja_env.globals.update(
        demo_logins=lambda: "demo" in app.blueprints,
        demo_has_mail=lambda: "caught_mail" in supplies,
    )

    for name in PAGES + (DEMO_PAGES if settings.demo else ()):
        app.register_blueprint(_blueprint(name))
    rest = api.init_app(app)
    for name in API_PAGES:
        api.register(rest, _blueprint(name))
    app.add_url_rule("/", "home", _home)
    app.add_url_rule("/health", "health", _health)
    return app


def from_environment() -> Flask:
    """The application of this process's environment: what the web server loads."""
    from b2bcrm.bootstrap import Listening, connect_mail, open_office, vault_of
    from b2bcrm.fulfillment.actions import Promises
    from b2bcrm.fulfillment.planning import readiness

    logs.configure()
    settings = Settings.of_this_process()
    mailer = connect_mail(settings)
    supplies: dict[str, Any] = {
        "promises": Promises,
        "erp_age": _erp_age,
        "files_dir": settings.files_dir,
        "mailer": mailer,
        "vault": vault_of(settings),
        "listening": Listening(settings),
    }
    if settings.demo:
        supplies["caught_mail"] = mailer
    app = create_app(open_office(settings), settings, **supplies)
    gc.collect()
    gc.freeze()  # what stands now stays: walking it again and again was a tenth of a page's time
    if settings.plans:
        readiness.prepare_in_background()
    return app


def _erp_age(open_work: Work) -> ErpAge | None:
    found = freshness(open_work)
    return None if found is None else ErpAge(found[0], "risk" if found[1] else "ok")


def _web_folder() -> str:
    import b2bcrm.web as package

    return package.__path__[0]


def _blueprint(module: str) -> Blueprint:
    found: Blueprint = import_module(module).bp
    return found


def _home() -> ResponseReturnValue:
    """Where the day begins: the orders, on either side of the glass."""
    return see_other("/portal/orders" if auth.current_actor().is_portal else "/orders")


@work.in_work(read_only=True)
def _health(_work: Any) -> ResponseReturnValue:
    """For a proxy: the process runs and the database answers."""
    return "ok", 200, {"Content-Type": "text/plain"}
