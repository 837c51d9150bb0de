"""What a push waited for has come: an account's ERP number, the leave to write, good settings."""

from __future__ import annotations

from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.work import Work
from b2bcrm.orders import actions
from b2bcrm.orders.handlers.drafting import NO_ACCOUNT
from b2bcrm.ports.erp import ErpConfig
from b2bcrm.sync.events import ConnectionChanged
from b2bcrm.sync.writes import DRY_RUN, WRITES_OFF


class ResumePushes:
    """Needs nothing outside: all is done in the first step."""

    name = "orders.resume_pushes"

    def prepare(self, work: Work, event: Event) -> None:
        """Put the waiting pushes back in line; nothing is to be sent."""
        if isinstance(event, ConnectionChanged):
            actions.resume(work, codes=[WRITES_OFF, DRY_RUN, NO_ACCOUNT, ErpConfig.code])
        else:
            actions.resume(work, codes=[NO_ACCOUNT], account_id=event.subject_id)

    def send(self, message: None, *, again: bool) -> None:
        """Never called: ``prepare`` has no message."""

    def record(self, work: Work, event: Event, reply: None) -> None:
        """Never called: ``prepare`` has no message."""

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """It is tried again; nobody waits to hear of it."""
