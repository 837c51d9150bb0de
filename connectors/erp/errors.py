"""What went wrong on the wire, or by the profile's rules -> the errors of the port.

The rule for writes: once bytes may have left, anything but a clear answer is 'outcome unknown',
since the ERP may have committed. For reads the same is 'unavailable': asking again is harmless.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from email.utils import parsedate_to_datetime

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
    ErpUnknownRecord,
    Issue,
)
from connectors.erp.decoded import BadBytes
from connectors.erp.exchange import ReplyTooLarge, ReplyTooSlow
from connectors.erp.judging import Judgement, Verdict
from connectors.erp.replies import ReplyBroken, ReplyForbidden, ReplyForeign

XML_TYPES = frozenset({"text/xml", "application/xml", "application/soap+xml"})
WIRE_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    BadBytes,
    ReplyBroken,
    ReplyForbidden,
    ReplyForeign,
    ReplyTooLarge,
    ReplyTooSlow,
)
_NOT_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
)
_BAD_ADDRESS = (
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
)
TOO_MANY = 429


def unusable(reason: Message, *, write: bool) -> CrmError:
    """No usable answer came, though the request may have arrived."""
    if write:
        return ErpOutcomeUnknown(
            Message("Sent to the ERP, but no usable answer came back: %(reason)s", reason=reason)
        )
    return ErpUnavailable(reason)


def from_wire(error: Exception, *, write: bool, cap_mb: int) -> CrmError:
    """An error of sending or of reading the body."""
    if isinstance(error, _BAD_ADDRESS):
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
    if isinstance(error, ReplyForeign):
        return Message("The ERP's answer is a page for people, not data: a login or error page?")
    if isinstance(error, ReplyBroken | BadBytes):
        return Message("The ERP's answer is incomplete or not a SOAP envelope.")
    if isinstance(
        error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError | ReplyTooSlow
    ):
        return Message("The ERP did not answer in time.")
    return Message("The connection to the ERP broke off.")


def from_status(response: requests.Response, *, write: bool) -> CrmError | None:
    """An answer that is not worth reading, judged by its head; None when it is."""
    status = response.status_code
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if status in {401, 403}:
        return auth()
    if status == TOO_MANY:
        return throttled(response)
    if media_type in XML_TYPES or (not media_type and status == requests.codes.ok):
        return None  # may be a fault, whatever the number
    if not write and "Retry-After" in response.headers:
        return throttled(response)
    return unusable(not_data(status), write=write)


def not_data(status: int) -> Message:
    """The sentence for an answer that is neither data nor a fault."""
    return Message(
        "The ERP answered with something that is not data (HTTP %(status)s).", status=status
    )


def throttled(response: requests.Response | None = None) -> ErpThrottled:
    """The ERP asks us to come back later, if it says when."""
    said = response.headers.get("Retry-After", "").strip() if response is not None else ""
    after: dt.timedelta | None = None
    if said.isdigit():
        after = dt.timedelta(seconds=int(said[:6]))
    elif said and response is not None:
        try:
            now = parsedate_to_datetime(response.headers["Date"])  # the same clock on both sides
            after = max(parsedate_to_datetime(said) - now, dt.timedelta())
        except (KeyError, ValueError, TypeError):
            after = None
    return ErpThrottled(Message("The ERP is busy."), retry_after=after)


def auth() -> ErpAuth:
    """The login of the connection is not accepted."""
    return ErpAuth(
        Message("The ERP does not accept the user name and password of this connection.")
    )


REFUSALS: dict[Verdict, type[ErpRefused]] = {
    Verdict.REJECTED: ErpRefused,
    Verdict.CONFLICT: ErpConflict,
    Verdict.NOT_FOUND: ErpUnknownRecord,
    Verdict.DRIFT: ErpDrift,
    Verdict.CONFIG: ErpConfig,
}


def from_judgement(
    judgement: Judgement, *, write: bool, response: requests.Response | None = None
) -> CrmError:
    """The error for a verdict that is not ok."""
    verdict = judgement.verdict
    if verdict is Verdict.AUTH:
        return auth()
    if verdict is Verdict.THROTTLED:
        return throttled(response)
    if verdict in REFUSALS:
        return refused(judgement.issues, REFUSALS[verdict])
    text = " ".join(issue.text for issue in judgement.issues if issue.text)
    reason = (
        Message("The ERP reports an error of its own: %(text)s", text=text)
        if text
        else Message("The ERP reports an error of its own; its words are in the exchange log.")
    )
    if verdict is Verdict.TRANSIENT:
        return ErpUnavailable(reason)
    return unusable(reason, write=write)


def refused(issues: tuple[Issue, ...], kind: type[ErpRefused] = ErpRefused) -> ErpRefused:
    """A business no, in the ERP's words, each at its field where the ERP names one."""
    text = " ".join(issue.text for issue in issues if issue.text)
    fields = {
        _path(issue): Message("The ERP says: %(text)s", text=issue.text)
        for issue in issues
        if issue.field and issue.text
    }
    message = (
        Message("The ERP refuses it: %(text)s", text=text)
        if text
        else Message("The ERP refuses it, in words that are no help; see the exchange log.")
    )
    return kind(message, fields=fields, issues=issues)


def _path(issue: Issue) -> str:
    return issue.field if issue.line_no is None else f"lines.{issue.line_no}.{issue.field}"


def drifted(drift: Iterable[Drifted]) -> ErpDrift:
    """An answer that was read, but holds values the profile does not know."""
    issues = tuple(Issue("drift", f"{d.reason} ({d.erp_id})", d.path) for d in drift)
    text = "; ".join(f"{i.field}: {i.text}" for i in issues[:5])
    return ErpDrift(
        Message("The ERP's answer cannot be understood: %(text)s", text=text), issues=issues
    )
