"""What an ERP call may fail with. The base decides what happens next, the subclass says why.

``ErpUnavailable``: nothing was changed, try again later. ``ErpOutcomeUnknown``: it may have been
done, look the reference up before anything is sent again. ``ErpRefused``: trying again does not
help, a person acts. Everything else that a connector raises is a defect.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from b2bcrm.kernel.errors import Refused, Unavailable
from b2bcrm.kernel.words import Message


@dataclass(frozen=True)
class Issue:
    """One thing the ERP objects to; ``field`` and ``line_no`` where it says so."""

    code: str
    text: str
    field: str = ""
    line_no: int | None = None


class ErpUnavailable(Unavailable):
    """Not reached, timed out before sending, busy, deadlocked: try again later."""

    code = "erp_unavailable"


class ErpThrottled(ErpUnavailable):
    """The ERP's or our own limit for this account is used up until ``retry_after``."""

    code = "erp_throttled"

    def __init__(self, message: Message, *, retry_after: dt.timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ErpOutcomeUnknown(Unavailable):
    """Sent, but no usable answer: look the reference up before sending again."""

    code = "erp_outcome_unknown"


class ErpRefused(Refused):
    """The ERP says no, or its answer cannot be used: a person must act."""

    code = "erp_refused"

    def __init__(
        self,
        message: Message,
        *,
        fields: dict[str, Message] | None = None,
        issues: tuple[Issue, ...] = (),
    ) -> None:
        super().__init__(message, fields=fields)
        self.issues = issues  # what it objects to, where it says so


class ErpAuth(ErpRefused):
    """The login of the connection is not accepted, or its session has ended."""

    code = "erp_auth"


class ErpConflict(ErpRefused):
    """The record was changed in the ERP meanwhile: read it again."""

    code = "erp_conflict"


class ErpUnknownRecord(ErpRefused):
    """The ERP does not know the record that was to be changed."""

    code = "erp_not_found"


class ErpDrift(ErpRefused):
    """The answer was read, but holds what the profile does not know."""

    code = "erp_drift"


class ErpCannot(ErpRefused):
    """This connection does not offer the call: see its capabilities."""

    code = "erp_cannot"


class ErpConfig(ErpRefused):
    """The connection's settings or its profile are wrong."""

    code = "erp_config"
