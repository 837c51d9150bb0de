"""``ErpGateway`` over SOAP: one method per call of the port, everything ERP-specific in a profile.

Each call is one HTTP exchange: zeep builds the envelope, the reply is streamed through
``reader``, whatever goes wrong becomes a port error in ``errors``, and the exchange is noted in
the envelope log. Nothing is retried here: that is for whoever knows what the call means.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import requests

from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import (
    Available,
    Confirmation,
    Connection,
    ConnectorInfo,
    Entity,
    EnvelopeLog,
    ErpCannot,
    ErpGateway,
    ErpRefused,
    ErpUnavailable,
    Health,
    Issue,
    KeyPage,
    Operation,
    OrderDraft,
    Page,
    Record,
    StockLevel,
    WriteResult,
)
from connectors.erp import client, errors, profile
from connectors.erp.answers import PageInfo, Ping, Progress, Written
from connectors.erp.exchange import (
    TOTAL_FACTOR,
    CappedReply,
    Exchange,
    Redactor,
    current_exchange,
)
from connectors.erp.profile import Call, Profile
from connectors.erp.reader import Reply, read_reply
from connectors.erp.transforms import outgoing

logger = logging.getLogger(__name__)
MEGABYTE = 1024 * 1024
WORK_ORDERS_PER_CALL = 200


class SoapErpGateway:
    """One connection. Safe to share between threads as far as ``requests`` sessions are."""

    def __init__(
        self,
        connection: Connection,
        profile: Profile,
        *,
        log: EnvelopeLog | None = None,
        session: requests.Session | None = None,
        now: Callable[[], dt.datetime] | None = None,
    ) -> None:
        """``now`` is the clock that ``check`` compares with the ERP's; without it no skew."""
        self.connection = connection
        self.profile = profile
        self._log = log
        self._now = now
        self._redact = Redactor(profile.mask, connection.secret)
        self._service = client.service(
            connection,
            wsdl=profile.wsdl,
            binding=profile.binding,
            endpoint=profile.address(connection),
            session=session or requests.Session(),
        )

    def describe(self) -> ConnectorInfo:
        """The profile, and what the connection can do."""
        profile = self.profile
        return ConnectorInfo(
            profile=profile.id,
            version=profile.version,
            product=profile.product,
            wsdl_digest=client.digest(profile.wsdl),
            profile_digest=profile.digest,
            capabilities=profile.capabilities,
        )

    # ----- reading -----

    def check(self) -> Health:
        """Whether it is reachable, we may log in, the company exists, clocks agree."""
        digest = client.digest(self.profile.wsdl)
        try:
            reply = self._call("ping")
            ping: Ping = _only(reply, self._rows("ping"))
        except CrmError as error:
            return Health(ok=False, message=error.message, wsdl_digest=digest)
        company = self.connection.company
        known = not company or any(c.code == company for c in ping.companies)
        message = (
            Message("The ERP answers.")
            if known
            else Message("The ERP has no company %(company)s.", company=company)
        )
        skew = (ping.server_time - self._now()).total_seconds() if self._now else None
        return Health(known, message, ping.product, skew, digest)

    def list(
        self,
        entity: Entity,
        *,
        since: dt.datetime | None = None,
        cursor: str | None = None,
        page_size: int = 500,
    ) -> Page:
        """One page. It is ``complete`` when every row the ERP announced was read and understood."""
        reply = self._call(f"list {entity}", since=since, cursor=cursor, page_size=page_size)
        rows = self._rows(f"list {entity}")
        info: PageInfo = reply.one(self.profile.page) or PageInfo(complete=False)
        announced = info.announced
        complete = (
            info.complete
            and not reply.drift
            and (announced is None or announced == reply.seen[rows])
            and (info.next_cursor is None or info.next_cursor != cursor)
        )
        return Page(
            records=reply.rows[rows],
            next_cursor=info.next_cursor,
            high_watermark=info.high_watermark,
            complete=complete,
            announced=announced,
            drift=tuple(reply.drift),
        )

    def list_keys(
        self, entity: Entity, *, cursor: str | None = None, page_size: int = 500
    ) -> KeyPage:
        """Ids and versions, taken from the records themselves."""
        page = self.list(entity, cursor=cursor, page_size=page_size)
        keys = {record.erp_id: record.version for record in page.records}
        return KeyPage(keys, page.next_cursor, page.complete)

    def get(self, entity: Entity, erp_id: str) -> Record | None:
        """One record, or None."""
        reply = self._call(f"get {entity}", erp_id=erp_id)
        found: Record | None = _understood(reply).one(self._rows(f"get {entity}"))
        return found

    def lookup(self, entity: Entity, field: str, value: str) -> Sequence[Record]:
        """Records whose ``field`` is ``value``, or begins with it and a '/': an order number
        finds all its amendments. A row that cannot be read is an error, never 'not found': a
        resend may depend on the answer.
        """
        call = self._known(f"lookup {entity}")
        if field not in call.args:
            raise _cannot()
        key: dict[str, Any] = {field: value}
        reply = _understood(self._call(f"lookup {entity}", **key))
        found: Sequence[Record] = reply.rows[call.rows]
        return [r for r in found if f"{getattr(r, field)}/".startswith(f"{value}/")]

    def operations(self, work_order_ids: Sequence[str]) -> Mapping[str, tuple[Operation, ...]]:
        """Progress per work order; one the ERP does not know is left out."""
        found: dict[str, tuple[Operation, ...]] = {}
        ids = list(work_order_ids)
        for start in range(0, len(ids), WORK_ORDERS_PER_CALL):
            part = ids[start : start + WORK_ORDERS_PER_CALL]
            reply = _understood(self._call("operations", work_orders=part))
            progress: list[Progress] = reply.rows[self._rows("operations")]
            found.update({p.work_order: p.operations for p in progress})
        return found

    def stock(self, items: Sequence[str], site: str = "") -> Sequence[StockLevel]:
        """Stock of the named items as it is now."""
        del items, site
        raise _cannot()

    def availability(self, item: str, site: str, qty: Decimal, on: dt.date) -> Available:
        """What the ERP's own check says."""
        del item, site, qty, on
        raise _cannot()

    # ----- writing -----

    def validate(self, draft: OrderDraft) -> Sequence[Issue]:
        """What the ERP would object to; nothing is entered."""
        del draft
        raise _cannot()

    def poll(self, handle: str) -> WriteResult | None:
        """What became of a write that was only taken in."""
        del handle
        raise _cannot()

    def ingest(self, raw: bytes) -> Sequence[Confirmation]:
        """Confirmations that the ERP has sent to us."""
        del raw
        raise _cannot()

    def create(self, draft: OrderDraft) -> WriteResult:
        """Enter a sales order."""
        return self._write("create", draft.reference, draft=self.profile.draft_tree(draft))

    def update(self, erp_id: str, draft: OrderDraft, *, expected_version: str = "") -> WriteResult:
        """Change a sales order to the whole new draft. A stale version is an ErpConflict."""
        return self._write(
            "change",
            draft.reference,
            erp_id=erp_id,
            version=expected_version,
            draft=self.profile.draft_tree(draft),
        )

    def cancel(self, erp_id: str, *, reference: str, reason: str) -> WriteResult:
        """Cancel a sales order."""
        return self._write("cancel", reference, erp_id=erp_id, reference=reference, reason=reason)

    def _write(self, act: str, trace: str, **args: Any) -> WriteResult:
        reply = self._call(act, write=True, trace=trace, **args)
        written: Written | None = reply.one(self._rows(act))
        if written is None or not written.erp_id:
            raise errors.unusable(Message("The ERP's answer names no document number."), write=True)
        return written.result()

    # ----- one exchange -----

    def _known(self, name: str) -> Call:
        try:
            return self.profile.calls[name]
        except KeyError:
            raise _cannot() from None

    def _rows(self, name: str) -> str:
        return self._known(name).rows

    def _call(self, name: str, *, write: bool = False, trace: str = "", **args: Any) -> Reply:
        call = self._known(name)
        room = self._log.room() if self._log else 0
        exchange = Exchange(uuid.uuid4().hex, call.operation, trace, room=room)
        token = current_exchange.set(exchange)
        start = time.monotonic()
        failure = ""
        try:
            reply = self._exchange(call, exchange, start, write=write, args=args)
        except CrmError as error:
            failure = str(error)
            raise
        finally:
            current_exchange.reset(token)
            self._note(name, exchange, time.monotonic() - start, failure)
        return reply

    def _exchange(
        self, call: Call, exchange: Exchange, start: float, *, write: bool, args: Mapping[str, Any]
    ) -> Reply:
        connection = self.connection
        deadline = start + TOTAL_FACTOR * connection.read_timeout_s
        cap_mb = connection.reply_cap_mb
        try:
            response = self._send(call, exchange, args)
            with response:
                media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
                head = errors.from_status(response.status_code, media_type.lower(), write=write)
                if head is not None:
                    raise head
                body = CappedReply(
                    response, cap=cap_mb * MEGABYTE, deadline=deadline, exchange=exchange
                )
                reply = read_reply(body, call.response, call.wanted, self.profile.issue_plan)
        except errors.WIRE_ERRORS as error:
            raise errors.from_wire(error, write=write, cap_mb=cap_mb) from error
        if reply.fault is not None:
            raise errors.from_fault(reply.fault, self.profile.rules, write=write)
        if response.status_code != requests.codes.ok:
            status = response.status_code
            raise errors.unusable(
                Message(
                    "The ERP answered with something that is not data (HTTP %(status)s).",
                    status=status,
                ),
                write=write,
            )
        return reply

    def _send(self, call: Call, exchange: Exchange, args: Mapping[str, Any]) -> requests.Response:
        from zeep.exceptions import Error as ZeepError

        words = {
            call.args[name]: value if isinstance(value, dict | list) else outgoing(value)
            for name, value in args.items()
            if value is not None
        }
        try:
            response: requests.Response = self._service[call.operation](**words)
        except (ZeepError, ValueError, TypeError) as error:
            if exchange.sent or isinstance(error, requests.RequestException):
                raise
            raise ErpRefused(
                Message("The ERP cannot take this: %(text)s", text=str(error)[:500])
            ) from error
        return response

    def _note(self, call: str, exchange: Exchange, seconds: float, failure: str) -> None:
        if self._log is None:
            return
        try:
            self._log.note(
                call=call,
                correlation_id=exchange.correlation_id,
                operation=exchange.operation,
                reference=exchange.reference,
                request=self._redact(exchange.request),
                reply=self._redact(bytes(exchange.head)) if exchange.status is not None else None,
                status=exchange.status,
                seconds=seconds,
                error=failure,
            )
        except Exception:  # what the ERP has taken stays taken, noted or not
            logger.exception("exchange %s could not be noted", exchange.correlation_id)


def connect(
    connection: Connection,
    log: EnvelopeLog | None = None,
    session: requests.Session | None = None,
    *,
    now: Callable[[], dt.datetime] | None = None,
) -> ErpGateway:
    """The gateway of a connection by its profile's name. Raises ProfileError, at start."""
    return SoapErpGateway(
        connection, profile.load(connection.profile), log=log, session=session, now=now
    )


def _understood(reply: Reply) -> Reply:
    if reply.drift:
        raise errors.drifted(reply.drift)
    return reply


def _only(reply: Reply, rows: str) -> Any:
    record = _understood(reply).one(rows)
    if record is None:
        raise ErpUnavailable(Message("The ERP's answer is incomplete or not a SOAP envelope."))
    return record


def _cannot() -> ErpCannot:
    return ErpCannot(Message("This ERP connection cannot do that."))
