"""``ErpGateway`` over SOAP: one method per call of the port, everything ERP-specific in a profile.

Each call is one exchange of the ``channel``; a plugin of the profile may take a call over.
Nothing is retried here: that is for whoever knows what the call means.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import requests

from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import (
    Act,
    Available,
    Confirmation,
    Connection,
    ConnectorInfo,
    CustomerDraft,
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
    RateGate,
    Record,
    StockLevel,
    WriteResult,
)
from connectors.erp import errors, listing, wsdls
from connectors.erp.answers import Key, Ping, Progress, Told, Written
from connectors.erp.channel import Channel, understood
from connectors.erp.confirming import confirmations
from connectors.erp.profile import Call, Profile, load
from connectors.erp.profile.model import PageStyle
from connectors.erp.replies import Reply

WORK_ORDERS_PER_CALL = 200
ITEMS_PER_CALL = 100
MOST_REFUSALS = 20  # of one message, before it is not asked about any more
HEAD_CLOCK_S = 2.0  # an HTTP head tells whole seconds, and answers take a while


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
        gate: RateGate | None = None,
    ) -> None:
        """``now`` is the clock that ``check`` compares with the ERP's; without it no skew."""
        self.connection = connection
        self.profile = profile
        self.channel = Channel(connection, profile, log, session or requests.Session(), gate)
        self._now = now

    def describe(self) -> ConnectorInfo:
        """The profile, and what the connection can do."""
        profile = self.profile
        return ConnectorInfo(
            profile=profile.id,
            version=profile.version,
            product=profile.product,
            wsdl_digest=wsdls.digest(profile.wsdls.values()),
            profile_digest=profile.digest,
            capabilities=profile.capabilities,
            concurrency=profile.concurrency,
            per_minute=profile.per_minute,
            overlap=profile.overlap,
        )

    # ----- reading -----

    def check(self) -> Health:
        """Whether it is reachable, we may log in, the company exists, clocks agree."""
        digest = wsdls.digest(self.profile.wsdls.values())
        try:
            ping: Ping = _only(self.channel.call("ping"))
        except CrmError as error:
            return Health(ok=False, message=error.message, wsdl_digest=digest)
        company = self.connection.company
        known = not company or not ping.companies or any(c.code == company for c in ping.companies)
        message = (
            Message("The ERP answers.")
            if known
            else Message("The ERP has no company %(company)s.", company=company)
        )
        skew = self._skew(ping.server_time)
        return Health(known, message, ping.product or self.profile.product, skew, digest)

    def _skew(self, told: dt.datetime | None) -> float | None:
        """Seconds that the ERP's clock is ahead of ours, by its word or by its HTTP head."""
        theirs = told or self.channel.server_time
        if self._now is None or theirs is None:
            return None
        skew = (theirs - self._now()).total_seconds()
        return 0.0 if told is None and abs(skew) < HEAD_CLOCK_S else skew

    def list(
        self,
        entity: Entity,
        *,
        since: dt.datetime | None = None,
        cursor: str | None = None,
        page_size: int = 500,
    ) -> Page:
        """One page. It is ``complete`` when every row the ERP announced was read and understood."""
        page = self.channel.plugin.list(
            self.channel, entity, since=since, cursor=cursor, page_size=page_size
        )
        if page is not None:
            return page
        name = f"list {entity}"
        call = self._known(name, entity, Act.LIST)
        asked = listing.asked(call, cursor, page_size)
        if call.paged.style is PageStyle.SEARCH_ID and cursor is not None:
            name = call.paged.more_call
        reply = self.channel.call(name, since=since, **asked)
        return listing.page_of(
            call,
            reply,
            self.profile.formats,
            cursor=cursor,
            page_size=page_size,
            server_time=self.channel.server_time,
        )

    def list_keys(
        self, entity: Entity, *, cursor: str | None = None, page_size: int = 500
    ) -> KeyPage:
        """Ids and versions; by a call of their own where the ERP has one, else of whole records."""
        call = self.profile.calls.get(f"keys {entity}")
        if call is None:
            page = self.list(entity, cursor=cursor, page_size=page_size)
            keys = {record.erp_id: record.version for record in page.records}
            return KeyPage(keys, page.next_cursor, page.complete)
        asked = listing.asked(call, cursor, page_size)
        reply = self.channel.call(call.name, **asked)
        page = listing.page_of(
            call, reply, self.profile.formats, cursor=cursor, page_size=page_size, server_time=None
        )
        rows: Sequence[Any] = page.records
        found = {row.erp_id: row.version for row in rows if isinstance(row, Key)}
        return KeyPage(found, page.next_cursor, page.complete)

    def get(self, entity: Entity, erp_id: str) -> Record | None:
        """One record, or None."""
        found = self.channel.plugin.get(self.channel, entity, erp_id)
        if found is not None:
            return found
        self._known(f"get {entity}", entity, Act.GET)
        try:
            reply = understood(self.channel.call(f"get {entity}", erp_id=erp_id))
        except ErpRefused as error:
            if error.code == "erp_not_found":
                return None
            raise
        one: Record | None = reply.one()
        return one

    def lookup(self, entity: Entity, field: str, value: str) -> Sequence[Record]:
        """Records whose ``field`` is ``value``, or begins with it and a '/': an order number
        finds all its amendments. A row that cannot be read is an error, never 'not found': a
        resend may depend on the answer.
        """
        found = self.channel.plugin.lookup(self.channel, entity, field, value)
        if found is None:
            name = f"lookup {entity} {field}"
            self._known(name, entity, Act.LOOKUP)
            key: dict[str, Any] = {field: value}
            try:
                found = understood(self.channel.call(name, **key)).rows[0]
            except ErpRefused as error:
                if error.code == "erp_not_found":
                    return []
                raise
        return [r for r in found if f"{_value(r, field)}/".startswith(f"{value}/")]

    def operations(self, work_order_ids: Sequence[str]) -> Mapping[str, tuple[Operation, ...]]:
        """Progress per work order; one the ERP does not know is left out."""
        self._known("operations", Entity.WORK_ORDER, Act.OPERATIONS)
        found: dict[str, tuple[Operation, ...]] = {}
        for part in _parts(work_order_ids, WORK_ORDERS_PER_CALL):
            reply = understood(self.channel.call("operations", work_orders=part))
            progress: list[Progress] = reply.rows[0]
            found.update({p.work_order: p.operations for p in progress})
        return found

    def stock(self, items: Sequence[str], site: str = "") -> Sequence[StockLevel]:
        """Stock of the named items as it is now."""
        call = self._known("stock", Entity.STOCK, Act.LOOKUP)
        several = any(setting.source.rows == "items" for setting in call.settings)
        found: list[StockLevel] = []
        for part in _parts(items, ITEMS_PER_CALL if several else 1):
            values = {"items": part} if several else {"item": part[0]}
            reply = self.channel.call("stock", site=site or None, **values)
            found += understood(reply).rows[0]
        return [level for level in found if not site or level.site == site]

    def availability(self, item: str, site: str, qty: Decimal, on: dt.date) -> Available:
        """What the ERP's own check says."""
        self._known("availability", Entity.STOCK, Act.AVAILABILITY)
        reply = self.channel.call("availability", item=item, site=site, qty=qty, on=on)
        found: Available = _only(reply)
        return found

    # ----- writing -----

    def validate(self, draft: OrderDraft) -> Sequence[Issue]:
        """What the ERP would object to; nothing is entered."""
        call = self._known("validate", Entity.SALES_ORDER, Act.VALIDATE)
        values = _of(draft)
        try:
            reply = understood(self.channel.call("validate", trace=draft.reference, **values))
        except ErpRefused as error:
            if error.code in {"erp_refused", "erp_not_found"} and error.issues:
                return error.issues
            raise
        if call.wanted and call.wanted[0].plan.record is Issue:
            found: Sequence[Issue] = reply.rows[0]
            return found
        return ()

    def create(self, draft: OrderDraft) -> WriteResult:
        """Enter a sales order."""
        self._may(Act.CREATE)
        done = self.channel.plugin.create(self.channel, draft)
        return done or self._write("create", draft.reference, draft, **_of(draft))

    def create_customer(self, draft: CustomerDraft) -> WriteResult:
        """Enter a customer."""
        if Act.CREATE not in self.profile.capabilities[Entity.CUSTOMER].acts:
            raise self._cannot(Entity.CUSTOMER, Act.CREATE)
        return self._write("create customer", draft.reference, None, **vars(draft))

    def update(self, erp_id: str, draft: OrderDraft, *, expected_version: str = "") -> WriteResult:
        """Change a sales order to the whole new draft. A stale version is an ErpConflict."""
        self._may(Act.UPDATE)
        done = self.channel.plugin.update(self.channel, erp_id, draft, expected_version)
        values = {"erp_id": erp_id, "version": expected_version, **_of(draft)}
        return done or self._write("update", draft.reference, draft, **values)

    def cancel(self, erp_id: str, *, reference: str, reason: str) -> WriteResult:
        """Cancel a sales order."""
        self._may(Act.CANCEL)
        done = self.channel.plugin.cancel(self.channel, erp_id, reason)
        if done is not None:
            return done
        values = {"erp_id": erp_id, "reference": reference, "reason": reason}
        return self._write("cancel", reference, None, **values)

    def _write(
        self, act: str, trace: str, draft: OrderDraft | None, /, **values: Any
    ) -> WriteResult:
        call = self.channel.known(act)
        # The same when it is sent again; another when it was corrected, or the ERP would drop it.
        key = f"{trace}/{act}/{values.get('erp_id', '')}/{draft}"
        if call.oneway and "poll" in self.profile.calls:
            key = self._not_refused(key)
        reply = self.channel.call(act, write=True, trace=trace, key=key, **values)
        writing = self.profile.writing
        sent = [line.line_no for line in draft.lines] if draft is not None else []
        same = {number: number for number in sent} if writing.lines == "same" else {}
        if call.oneway:
            return WriteResult("", line_map=same, handle=self.channel.message_id(key))
        if reply.drift:
            raise errors.unusable(errors.drifted(reply.drift).message, write=True)
        written: Written = reply.one() or Written()
        if not written.erp_id and not written.handle and writing.need_id:
            raise errors.unusable(Message("The ERP's answer names no document number."), write=True)
        result = written.result()
        erp_id = result.erp_id or values.get("erp_id", "")
        lines = same or result.line_map
        if writing.lines == "in_order" and len(sent) == len(written.line_map):
            kept = [pair.kept for pair in written.line_map]
            lines = dict(zip(sent, kept, strict=True))
        return WriteResult(erp_id, result.version, lines, result.messages, result.handle)

    def _not_refused(self, key: str) -> str:
        """The key of a message that was not refused yet: a repeat of a refused one is dropped,
        though what was in its way may be gone. Where nobody can say, it is the key itself.
        """
        for attempt in range(MOST_REFUSALS):
            tried = f"{key}/{attempt}" if attempt else key
            try:
                self.poll(self.channel.message_id(tried))
            except ErpUnavailable:
                return key
            except ErpRefused as error:
                if error.code != ErpRefused.code:
                    raise
            else:
                return tried
        return key

    def poll(self, handle: str) -> WriteResult | None:
        """What became of a write that was only taken in."""
        if "poll" not in self.profile.calls:
            raise ErpCannot(Message("This ERP connection cannot do that."))
        told: Told | None = understood(self.channel.call("poll", handle=handle)).one()
        if told is None or told.state == "open":
            return None
        if told.state == "refused":
            raise errors.refused(told.messages)
        return WriteResult(told.erp_id, told.version, {}, told.messages, handle)

    def ingest(self, raw: bytes) -> Sequence[Confirmation]:
        """Confirmations that the ERP has sent to us."""
        if "confirm" not in self.profile.calls:
            raise ErpCannot(Message("This ERP connection cannot do that."))
        return confirmations(self.profile, raw)

    # ----- what is offered -----

    def _known(self, name: str, entity: Entity, act: Act) -> Call:
        if name not in self.profile.calls:
            raise self._cannot(entity, act)
        return self.profile.calls[name]

    def _may(self, act: Act) -> None:
        if act not in self.profile.capabilities[Entity.SALES_ORDER].acts:
            raise self._cannot(Entity.SALES_ORDER, act)

    def _cannot(self, entity: Entity, act: Act) -> ErpCannot:
        reason = self.profile.capabilities[entity].off.get(act, "")
        if not reason:
            return ErpCannot(Message("This ERP connection cannot do that."))
        return ErpCannot(Message("This ERP connection cannot do that: %(reason)s", reason=reason))


def connect(
    connection: Connection,
    log: EnvelopeLog | None = None,
    session: requests.Session | None = None,
    *,
    now: Callable[[], dt.datetime] | None = None,
    gate: RateGate | None = None,
) -> ErpGateway:
    """The gateway of a connection by its profile's name. Raises ErpConfig, at start."""
    profile = load(connection.profile, connection.site_wsdl, connection.params)
    return SoapErpGateway(connection, profile, log=log, session=session, now=now, gate=gate)


def _of(draft: OrderDraft) -> dict[str, Any]:
    """A draft's fields by name."""
    return dict(vars(draft))


def _value(record: Record, field: str) -> str:
    """A field of the record's own, or one that only this ERP has."""
    return str(getattr(record, field, record.ext.get(field, "")))


def _parts(values: Sequence[str], size: int) -> Sequence[Sequence[str]]:
    return [list(values[at : at + size]) for at in range(0, len(values), size)]


def _only(reply: Reply) -> Any:
    record = understood(reply).one()
    if record is None:
        raise ErpUnavailable(Message("The ERP's answer is incomplete or not a SOAP envelope."))
    return record
