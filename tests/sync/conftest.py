"""Fixtures of the engine's tests: a puller on the twin, a watch, and small looks at the tables."""

from __future__ import annotations

import dataclasses

import pytest
import sqlalchemy as sa

from b2bcrm import bootstrap
from b2bcrm.kernel.clock import Clock
from b2bcrm.ports.erp import KeyPage, Page
from b2bcrm.sync.engine import Puller
from b2bcrm.sync.models import Feed
from tests.conftest import NOW
from tests.pulled import found_company


class Watch:
    """Machine time that the test moves."""

    def __init__(self):
        self.at = NOW

    def __call__(self):
        return self.at


@pytest.fixture
def watch(office):
    watch = Watch()
    object.__setattr__(office, "clock", Clock(read=watch))
    return watch


def puller_on(office, twin):
    """A puller that brings what ``twin`` has into the database of ``office``."""
    return Puller(office, twin.gateway, "main", bootstrap.APPLIERS, bootstrap.IDENTIFY)


@pytest.fixture
def puller(office, twin, watch):
    with office.open() as work:
        found_company(work)
    made = puller_on(office, twin)
    made.ensure_feeds()
    return made


@pytest.fixture
def look(office):
    """The first row of a query, or None, in a Work of its own."""

    def first(query):
        with office.open(read_only=True) as work:
            found = work.session.scalars(query).first()
            work.session.expunge_all()
            return found

    return first


@pytest.fixture
def feed(look):
    return lambda entity: look(sa.select(Feed).where(Feed.entity == entity.value))


@pytest.fixture
def count(look):
    return lambda model: look(sa.select(sa.func.count()).select_from(model))


class Tampered:
    """A gateway whose book a test changes: records by entity, on top of what the ERP says.

    ``change(record)`` gives the record as the ERP is to have it, or None where it has none.
    """

    def __init__(self, erp, change):
        self.erp = erp
        self.change = change

    def __getattr__(self, name):
        return getattr(self.erp, name)

    def _kept(self, records):
        return [new for new in map(self.change, records) if new is not None]

    def list(self, entity, **page) -> Page:
        found = self.erp.list(entity, **page)
        return dataclasses.replace(found, records=self._kept(found.records), announced=None)

    def list_keys(self, entity, **page) -> KeyPage:
        found = self.erp.list(entity, **page)
        keys = {record.erp_id: record.version for record in self._kept(found.records)}
        return KeyPage(keys, found.next_cursor, found.complete)

    def get(self, entity, erp_id):
        found = self.erp.get(entity, erp_id)
        return None if found is None else self.change(found)


@pytest.fixture
def tampered(puller):
    """The puller with ``change(record)`` between the ERP and us."""
    return lambda change: dataclasses.replace(puller, erp=Tampered(puller.erp, change))
