"""A worker that ends itself at a named point of a delivery, as a crash would: no clean-up."""

from __future__ import annotations

import os

from b2bcrm import bootstrap
from b2bcrm.kernel.courier import Courier
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.work import Office
from b2bcrm.orders.events import EVENTS
from b2bcrm.orders.handlers import PushOrder
from b2bcrm.ports.erp import Connection
from connectors.erp.gateway import connect

KILLED = 9
POINTS = (
    "after_claim",
    "after_prepare",
    "before_send",
    "after_commit",
    "before_record",
    "in_record",
    "after_record",
)


class Doomed(PushOrder):
    """The real push with two more points: around the call, and inside the recording Work."""

    def __init__(self, erp, die):
        super().__init__(erp)
        self.die = die

    def send(self, message, *, again):
        self.die("before_send")
        reply = super().send(message, again=again)
        self.die("after_commit")
        return reply

    def record(self, work, event, reply):
        super().record(work, event, reply)
        work.session.flush()  # flush: written but not committed when the process dies
        self.die("in_record")


def work_until(point: str, database_url: str, erp_url: str) -> None:
    """Deliver what is due, for a process of its own: it exits with KILLED at the point."""

    def die(name: str) -> None:
        if name == point:
            os._exit(KILLED)

    office = Office(make_engine(database_url), routes=bootstrap.ROUTES)
    connection = Connection(
        code="main", profile="twin", base_url=erp_url, company="FPD-TW", user="crm", secret="open"
    )
    erp = connect(connection)
    push = Doomed(lambda _work, _code: erp, die)
    courier = Courier(office.open, {e.name: e for e in EVENTS}, {push.name: push}, die)
    while courier.deliver_one():
        pass
