"""What went wrong on the wire -> the three port errors.

The rule for writes: once bytes may have left, anything but a clear answer is 'outcome unknown',
since the ERP may have committed. For reads the same is 'unavailable': asking again is harmless.
"""

from __future__ import annotations

from collections.abc import Iterable

import requests
import urllib3

from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import (
    Drifted,
    ErpAuth,
    ErpConfig,
    ErpConflict,
    ErpDrift,
    ErpOutcomeUnknown,
    ErpRefused,
    ErpThrottled,
    ErpUnavailable,
    Issue,
)
from connectors.erp.exchange import ReplyTooLarge, ReplyTooSlow
from connectors.erp.profile import Rule
from connectors.erp.reader import Fault, ReplyBroken, ReplyForbidden

XML_TYPES = frozenset({"text/xml", "application/xml", "application/soap+xml"})
WIRE_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    ReplyBroken,
    ReplyForbidden,
    ReplyTooLarge,
    ReplyTooSlow,
)
_NOT_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
)


def unusable(reason: Message, *, write: bool) -> CrmError:
    """No usable answer came, though the request may have arrived."""
    if write:
        return ErpOutcomeUnknown(
            Message("Sent to the ERP, but no usable answer came back: %(reason)s", reason=reason)
        )
    return ErpUnavailable(reason)


def from_wire(error: Exception, *, write: bool, cap_mb: int) -> CrmError:
    """An error of sending or of reading the body."""
    if isinstance(
        error,
        requests.exceptions.MissingSchema
        | requests.exceptions.InvalidSchema
        | requests.exceptions.InvalidURL,
    ):
        return ErpConfig(Message("The ERP's address is not valid."))
    if not_sent(error):
        return ErpUnavailable(Message("The ERP cannot be reached."))
    return unusable(_reason(error, cap_mb), write=write)


def not_sent(error: Exception) -> bool:
    """Whether the request surely never left: no connection came about."""
    if isinstance(
        error,
        requests.ConnectTimeout | requests.exceptions.ProxyError | requests.exceptions.SSLError,
    ):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(error, requests.ConnectionError) and isinstance(
        getattr(cause, "reason", None), _NOT_SENT
    )


def _reason(error: Exception, cap_mb: int) -> Message:
    if isinstance(error, ReplyTooLarge):
        return Message("The ERP's answer is larger than %(limit)s MB.", limit=cap_mb)
    if isinstance(error, ReplyForbidden):
        return Message("The ERP's answer declares a document type, which is not allowed.")
    if isinstance(error, ReplyBroken):
        return Message("The ERP's answer is incomplete or not a SOAP envelope.")
    if isinstance(
        error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError | ReplyTooSlow
    ):
        return Message("The ERP did not answer in time.")
    return Message("The connection to the ERP broke off.")


def from_status(status: int, media_type: str, *, write: bool) -> CrmError | None:
    """An answer that is not worth reading, judged by its head; None when it is."""
    if status in {401, 403}:
        return auth()
    if status == 429:  # noqa: PLR2004 - HTTP's number for 'too many requests'
        return ErpThrottled(Message("The ERP is busy."))
    if media_type in XML_TYPES:
        return None  # may be a fault, whatever the number
    return unusable(
        Message(
            "The ERP answered with something that is not data (HTTP %(status)s).", status=status
        ),
        write=write,
    )


def auth() -> ErpAuth:
    """The login of the connection is not accepted."""
    return ErpAuth(
        Message("The ERP does not accept the user name and password of this connection.")
    )


REFUSALS: dict[str, type[ErpRefused]] = {"refused": ErpRefused, "conflict": ErpConflict}


def from_fault(fault: Fault, rules: Iterable[Rule], *, write: bool) -> CrmError:
    """A SOAP fault by the profile's rules."""
    rule = next((r for r in rules if fault.code.startswith(r.fault)), Rule("", "unknown"))
    if rule.family == "auth":
        return auth()
    if rule.family in REFUSALS:
        return refused(fault.issues or (Issue("", fault.text),), REFUSALS[rule.family])
    reason = Message("The ERP reports an error of its own: %(text)s", text=fault.text[:500])
    if rule.family == "unavailable":
        return ErpUnavailable(reason)
    return unusable(reason, write=write)


def refused(issues: tuple[Issue, ...], kind: type[ErpRefused] = ErpRefused) -> ErpRefused:
    """A business no, in the ERP's words, each at its field where the ERP names one."""
    text = " ".join(issue.text for issue in issues)
    fields = {
        _path(issue): Message("The ERP says: %(text)s", text=issue.text)
        for issue in issues
        if issue.field
    }
    return kind(Message("The ERP refuses it: %(text)s", text=text), fields=fields, issues=issues)


def _path(issue: Issue) -> str:
    return issue.field if issue.line_no is None else f"lines.{issue.line_no}.{issue.field}"


def drifted(drift: Iterable[Drifted]) -> ErpDrift:
    """An answer that was read, but holds values the profile does not know."""
    issues = tuple(Issue("drift", f"{d.reason} ({d.erp_id})", d.path) for d in drift)
    text = "; ".join(f"{i.field}: {i.text}" for i in issues[:5])
    return ErpDrift(
        Message("The ERP's answer cannot be understood: %(text)s", text=text), issues=issues
    )
