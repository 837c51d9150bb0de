"""Which adapter serves a port, and everything a process needs, put together once.

With ``demo`` and the commands of ``cli.erp`` the only importer of ``connectors``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import Engine

import b2bcrm.kernel.idempotency
import b2bcrm.sync.certificates  # noqa: F401 - their tables must be known
from b2bcrm.bootstrap.connections import Connections, erp_connection, gateway
from b2bcrm.bootstrap.feeds import APPLIERS, IDENTIFY
from b2bcrm.bootstrap.routes import ROUTES
from b2bcrm.customers import events as customers_events
from b2bcrm.customers import handlers as customers_handlers
from b2bcrm.files import actions as files
from b2bcrm.fulfillment import actions as fulfillment
from b2bcrm.fulfillment import events as fulfillment_events
from b2bcrm.fulfillment import handlers as fulfillment_handlers
from b2bcrm.fulfillment.planning import readiness
from b2bcrm.kernel.courier import Courier, Handler
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.work import Office, Work
from b2bcrm.orders import events as orders_events
from b2bcrm.orders import handlers as orders_handlers
from b2bcrm.orders.handlers import Erps
from b2bcrm.ports.erp import EnvelopeLog, ErpGateway
from b2bcrm.ports.mail import Mailer
from b2bcrm.quotes import actions as quotes
from b2bcrm.quotes import events as quotes_events
from b2bcrm.quotes import handlers as quotes_handlers
from b2bcrm.service import (
    actions as service,
)
from b2bcrm.service import (
    events as service_events,
)
from b2bcrm.service import (
    handlers as service_handlers,
)
from b2bcrm.settings import Settings
from b2bcrm.sync import events as sync_events
from b2bcrm.sync import recordings
from b2bcrm.sync.connections import MAIN, sending
from b2bcrm.sync.engine import Puller
from b2bcrm.sync.envelopes import StoredEnvelopes, forget_old
from b2bcrm.sync.freshness import alert
from b2bcrm.users import events as users_events
from b2bcrm.users import handlers as users_handlers

IMPROVE_S = 10  # seconds for the first plan of a day: nobody waits for it
PROJECT_AT_ONCE = 40  # orders per Work: the write lock is held for a fraction of a second

EVENTS: dict[str, type[Event]] = {
    event.name: event
    for module in (
        customers_events,
        quotes_events,
        orders_events,
        fulfillment_events,
        service_events,
        users_events,
        sync_events,
    )
    for event in module.EVENTS
}


@dataclass(frozen=True)
class House:
    """Everything a process needs, put together once."""

    settings: Settings
    engine: Engine
    office: Office
    erp: ErpGateway
    mailer: Mailer
    courier: Courier
    puller: Puller
    connections: Connections | None = None

    def pullers(self) -> list[Puller]:
        """One per active ERP connection, the first one first."""
        return self.connections.pullers() if self.connections else [self.puller]

    def every_minute(self) -> None:
        """Clocks that people wait for."""
        with self.office.open() as work:
            service.check_clocks(work)
        with self.office.open() as work:
            alert(work)
        self.report_morning()

    def report_morning(self) -> bool:
        """Send the morning report out once its hour has come; whether this was the moment."""
        if self.settings.morning_at is None:
            return False
        with self.office.open(read_only=True) as work:
            seen = fulfillment.morning_due(work, self.settings.morning_at)
        if seen is None:
            return False
        with self.office.open() as work:
            return fulfillment.send_morning(work, seen)

    def sum_figures(self) -> int:
        """Sum the board's figures where rows changed; answers how many sets of them."""
        with self.office.open(read_only=True) as work:
            found = fulfillment.sum_figures(work)
        for summed in found:
            with self.office.open() as work:
                fulfillment.keep_figures(work, summed)
        return len(found)

    def plan(self, *, improve_s: float = 0, anyway: bool = False) -> bool:
        """Plan the order book anew where its rows changed; whether dates come from a new plan."""
        if not self.settings.plans:
            return False
        # Here, so that processes that plan nothing do not wait for the engine.
        from b2bcrm.fulfillment.actions import replanning

        readiness.prepare()
        with self.office.open(read_only=True) as work:
            due = replanning.plan_due(work, anyway=anyway, serve_by=self.settings.serve_by)
        if due is None:
            return False
        made = replanning.make_plan(due, improve_s=improve_s)
        with self.office.open() as work:
            return replanning.publish_plan(work, made)

    def learn_sureness(self) -> None:
        """Learn from all promises of the past; nothing is open while it computes."""
        with self.office.open(read_only=True) as work:
            promised, today = fulfillment.read_promises(work), work.today
        learned = fulfillment.learn(promised, today) if promised else None
        if learned is not None:
            with self.office.open() as work:
                fulfillment.keep_learned(work, learned)
                fulfillment.mark_open_stale(work)

    def foresee(self) -> None:
        """Draw the odds of the coming weeks; nothing is open while the rounds are planned."""
        if not self.settings.plans:
            return
        # Here, so that processes that plan nothing do not wait for the engine.
        from b2bcrm.fulfillment.actions import foreseeing

        readiness.prepare()
        with self.office.open(read_only=True) as work:
            found = foreseeing.read_coming(work, self.settings.serve_by)
        if found is not None:
            odds = foreseeing.foresee(found)
            with self.office.open() as work:
                foreseeing.keep_coming(work, odds)

    def project(self) -> int:
        """Project what the pulled documents touched, in short Works; answers how many orders."""
        with self.office.open(read_only=True) as work:
            if not fulfillment.projections_due(work):
                return 0
        done = 0
        while True:
            with self.office.open() as work:
                batch = fulfillment.project_due(work, PROJECT_AT_ONCE)
            if batch == 0:
                return done
            done += batch


def _expire_quotes(house: House) -> None:
    done = 1
    while done:
        with house.office.open() as work:
            done = quotes.expire(work, promises=fulfillment.Promises(work))


def _in_work(house: House, act: Callable[[Work], object]) -> None:
    with house.office.open() as work:
        act(work)


DAILY: dict[str, Callable[[House], object]] = {
    "learn_sureness": House.learn_sureness,
    "expire_quotes": _expire_quotes,
    "improve_plan": lambda house: house.plan(improve_s=IMPROVE_S, anyway=True),
    "foresee": House.foresee,
    "close_solved_cases": lambda house: _in_work(house, service.close_solved),
    "sweep_files": lambda house: _in_work(
        house, lambda work: files.sweep(work, files_dir=house.settings.files_dir)
    ),
    "forget_old_traffic": lambda house: _in_work(house, forget_old),
    "forget_recordings": lambda house: recordings.forget_old(
        house.settings.recordings_dir, house.office.clock.tick
    ),
}


def handlers(
    settings: Settings, erps: Erps, mailer: Mailer, log: Callable[[str], EnvelopeLog]
) -> dict[str, Handler[Any, Any]]:
    """Every handler that ``ROUTES`` names.

    ``erps`` gives the gateway of a connection, ``log`` keeps what a dry run would have sent to it.
    """
    url, files_dir = settings.base_url, settings.files_dir
    made: tuple[Handler[Any, Any], ...] = (
        orders_handlers.PushOrder(erps, writing=sending, log=log),
        orders_handlers.ResumePushes(),
        customers_handlers.PushCustomer(erps, writing=sending),
        orders_handlers.MailAcknowledgement(mailer, url, files_dir),
        quotes_handlers.MailQuote(mailer, url, files_dir),
        quotes_handlers.MailSalesOwner(mailer, url),
        fulfillment_handlers.MailPromiseMoved(mailer, url),
        fulfillment_handlers.MailPromiseAnswered(mailer, url),
        fulfillment_handlers.MailAnswerSettled(mailer, url),
        fulfillment_handlers.MailApprovers(mailer, url),
        fulfillment_handlers.MailAsker(mailer, url),
        fulfillment_handlers.MailPlanners(mailer, url),
        fulfillment_handlers.MailMorning(mailer, url),
        fulfillment_handlers.MailInCare(mailer, url),
        service_handlers.CaseOpenedMail(mailer, url),
        service_handlers.CaseAnswerMail(mailer, url),
        service_handlers.CaseSolvedMail(mailer, url),
        users_handlers.MailReset(mailer, url),
        users_handlers.MailErpAdmins(mailer, url),
    )
    return {handler.name: handler for handler in made}


def connect_mail(settings: Settings) -> Mailer:
    """SMTP, or the demo's folder."""
    from connectors.mail.folder import FolderMailer
    from connectors.mail.smtp import Security, SmtpMailer

    if settings.demo:
        return FolderMailer(settings.mail_dir, settings.mail_from)
    url = urlsplit(settings.smtp_url)
    security = {"smtps": Security.TLS, "smtp+plain": Security.NONE, "smtp": Security.STARTTLS}
    return SmtpMailer(
        url.hostname or "localhost",
        url.port or 587,
        settings.mail_from,
        user=unquote(url.username or ""),
        password=unquote(url.password or ""),
        security=security[url.scheme],
    )


def open_office(settings: Settings) -> Office:
    """Where Works are opened: all that a process needs that never talks to the ERP."""
    return Office(engine=make_engine(settings.database_url), routes=ROUTES)


def build(settings: Settings) -> House:
    """Join everything for a process that talks to the ERP."""
    office = open_office(settings)
    erp, mailer = gateway(erp_connection(settings), settings, office), connect_mail(settings)
    puller = Puller(office, erp, MAIN, APPLIERS, IDENTIFY)
    connections = Connections(settings, office, puller)
    made = handlers(settings, connections.erp, mailer, partial(StoredEnvelopes, office))
    return House(
        settings=settings,
        engine=office.engine,
        office=office,
        erp=erp,
        mailer=mailer,
        courier=Courier(partial(office.open), EVENTS, made),
        puller=puller,
        connections=connections,
    )
