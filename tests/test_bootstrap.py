"""What follows from each fact exists, and everything that exists is reached."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from b2bcrm import bootstrap
from b2bcrm.ports.erp import Entity
from b2bcrm.settings import Settings
from b2bcrm.sync.engine import FEEDS
from b2bcrm.sync.envelopes import StoredEnvelopes
from connectors.mail.folder import FolderMailer

SETTINGS = Settings(data_dir=Path("var"), database_url="", demo=True, secret_key="x" * 32)


def made(office, twin):
    mailer = FolderMailer(Path("mail"), "x@y.example")
    return bootstrap.handlers(
        SETTINGS, lambda _work, _code: twin.gateway, mailer, partial(StoredEnvelopes, office)
    )


def test_every_route_names_a_known_event_and_handler(office, twin):
    handlers = made(office, twin)
    for event, names in bootstrap.ROUTES.items():
        assert event in bootstrap.EVENTS
        assert set(names) <= set(handlers)


def test_no_handler_is_without_a_route(office, twin):
    routed = {name for names in bootstrap.ROUTES.values() for name in names}
    assert set(made(office, twin)) == routed


def test_every_feed_of_the_erp_has_somebody_who_takes_it():
    assert set(bootstrap.APPLIERS) == set(Entity) == set(FEEDS)


def test_every_event_has_a_name_of_its_own_and_a_subject():
    events = [event for event in bootstrap.EVENTS.values() if event.subject]
    assert {event.name for event in events} == set(bootstrap.EVENTS)
