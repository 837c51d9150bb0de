"""One exchange with the ERP: the request goes out, the answer is streamed in, judged and noted.

Whatever goes wrong becomes an error of the port; nothing is retried here but a call that came
back because our session had ended. Not here: what a call means (``gateway``).
"""

from __future__ import annotations

import datetime as dt
import io
import logging
import time
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from lxml import etree

from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import Connection, EnvelopeLog, ErpAuth, ErpCannot, ErpRefused, RateGate
from connectors.erp import client, errors, paths
from connectors.erp.decoded import Decoded
from connectors.erp.exchange import (
    TOTAL_FACTOR,
    CappedReply,
    Exchange,
    Redactor,
    current_exchange,
)
from connectors.erp.judging import Judgement, Verdict
from connectors.erp.plugins import Plugin, plugin_of
from connectors.erp.profile import Call, Profile
from connectors.erp.profile.model import Payload
from connectors.erp.replies import (
    Reply,
    ReplyBroken,
    is_sentence,
    read_document,
    read_envelope,
)

logger = logging.getLogger(__name__)
MEGABYTE = 1024 * 1024
MESSAGE_IDS = uuid.UUID("5f0c6b0e-5d0b-4b8e-9a43-5a1d6f3c2b11")
_CHARSET = "charset="


class Channel:
    """One connection's wire: sessions, limits, redaction."""

    def __init__(
        self,
        connection: Connection,
        profile: Profile,
        log: EnvelopeLog | None,
        session: requests.Session,
        gate: RateGate | None = None,
    ) -> None:
        self.connection = connection
        self.profile = profile
        self.server_time: dt.datetime | None = None  # of the last answer's HTTP head
        self._log = log
        self._gate = gate
        self._redact = Redactor(profile.mask, connection.secret)
        self._services = {
            name: client.service(connection, service, profile.wsdls[name], profile.auth, session)
            for name, service in profile.services.items()
        }
        self.plugin: Plugin = plugin_of(profile)

    def known(self, name: str) -> Call:
        """The call of a name. Raises ErpCannot where the profile has none."""
        try:
            return self.profile.calls[name]
        except KeyError:
            raise ErpCannot(Message("This ERP connection cannot do that.")) from None

    def call(
        self, name: str, /, *, write: bool = False, trace: str = "", key: str = "", **args: Any
    ) -> Reply:
        """One call by its name, with our arguments. Raises the port's errors.

        ``trace`` goes into the exchange log; ``key`` makes a message's id, the same when sent
        again.
        """
        args["message_id"] = self.message_id(key)
        call = self.known(name)
        session = self.plugin.token(self) if self.plugin.has_session else ""
        try:
            return self._once(call, args, session, write=write, trace=trace)
        except ErpAuth:
            if not session:
                raise
            self.plugin.forget(session)  # it has ended: the ERP did nothing, once more is safe
        return self._once(call, args, self.plugin.token(self), write=write, trace=trace)

    def login(self, name: str, **args: Any) -> Reply:
        """A call that needs no session: the one that makes it."""
        return self._once(self.known(name), args, "", write=False, trace="")

    def message_id(self, key: str) -> str:
        """The id of a message about ``key``; a new one where there is no key."""
        name = f"{self.connection.code}/{key}" if key else uuid.uuid4().hex
        return str(uuid.uuid5(MESSAGE_IDS, name))

    def values(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """All values that a request may use."""
        connection = self.connection
        now = dt.datetime.now(dt.UTC)
        return {
            "conn.base_url": connection.base_url.rstrip("/"),
            "conn.company": connection.company,
            "conn.user": connection.user,
            "secret": connection.secret,
            **{f"conn.params.{name}": value for name, value in connection.params.items()},
            "now": now,
            "today": now.astimezone(self.profile.formats.zone).date(),
            **args,
        }

    def _once(
        self, call: Call, args: Mapping[str, Any], session: str, *, write: bool, trace: str
    ) -> Reply:
        with self._gate.turn(write=write) if self._gate else nullcontext():
            return self._noted(call, args, session, write=write, trace=trace)

    def _noted(
        self, call: Call, args: Mapping[str, Any], session: str, *, write: bool, trace: str
    ) -> Reply:
        room = self._log.room() if self._log else 0
        exchange = Exchange(uuid.uuid4().hex, call.operation, trace, room=room)
        token = current_exchange.set(exchange)
        start = time.monotonic()
        failure: Message | None = None
        try:
            values = self.values(args) | {"session": session}
            return self._exchange(call, exchange, start, values, write=write)
        except CrmError as error:
            failure = error.message
            raise
        finally:
            current_exchange.reset(token)
            self._note(call.name, exchange, time.monotonic() - start, failure)

    def _exchange(
        self,
        call: Call,
        exchange: Exchange,
        start: float,
        values: Mapping[str, Any],
        *,
        write: bool,
    ) -> Reply:
        connection, rules = self.connection, self.profile.rules
        cap_mb = connection.reply_cap_mb
        try:
            response = self._send(call, exchange, values)
            with response:
                self._clock(response)
                body = CappedReply(
                    response,
                    cap=cap_mb * MEGABYTE,
                    deadline=start + TOTAL_FACTOR * connection.read_timeout_s,
                    exchange=exchange,
                )
                if call.oneway and response.ok:
                    return self._accepted(body, response)
                head = errors.from_status(response, write=write)
                if head is not None:
                    verdict = rules.of_status(response.status_code)
                    if verdict is None:
                        raise head
                    judged = Judgement(verdict)
                    raise errors.from_judgement(judged, write=write, response=response)
                answer = self._read(call, body, response)
        except errors.WIRE_ERRORS as error:
            raise errors.from_wire(error, write=write, cap_mb=cap_mb) from error
        if answer.fault is not None:
            judged = rules.of_fault(answer.fault, response.status_code)
            raise errors.from_judgement(judged, write=write, response=response)
        reply: Reply = answer.reply
        judged = (
            rules.of_text(reply.sentence)
            if reply.sentence
            else rules.of_answer(call.operation, reply.root, reply.outer)
        )
        if judged.verdict is not Verdict.OK:
            raise errors.from_judgement(judged, write=write, response=response)
        if response.status_code != requests.codes.ok:
            raise errors.unusable(errors.not_data(response.status_code), write=write)
        return reply

    def _read(self, call: Call, body: CappedReply, response: requests.Response) -> Any:
        header = response.headers.get("Content-Type", "")
        charset = header.partition(_CHARSET)[2].strip("\"' ;") if _CHARSET in header else ""
        profile = self.profile
        stream = Decoded(
            body,
            profiled=profile.charset,
            header=charset,
            replace=profile.replace_bad_bytes,
        )
        keep = not call.name.startswith(("list ", "keys "))
        if call.payload is None:
            answer = read_envelope(
                stream,
                call.response,
                call.wanted,
                mark=call.paged.mark,
                keep=keep or not call.response,
                huge=self.profile.huge,
            )
        else:
            answer = read_envelope(stream, call.response, keep=True, huge=self.profile.huge)
            if answer.reply is not None:
                answer.reply = self._inner(call, call.payload, answer.reply.root, keep=keep)
        if answer.reply is not None and stream.bad:
            answer.reply.unknown["(unreadable characters)"] += stream.bad
        return answer

    def _inner(self, call: Call, payload: Payload, outer: etree._Element, *, keep: bool) -> Reply:
        text = paths.first(outer, payload.result)
        if not text:
            # an error beside the string may say why it is empty
            judged = self.profile.rules.of_answer(call.operation, etree.Element("none"), outer)
            if judged.verdict is Verdict.OK:
                raise ReplyBroken("the document in the answer is empty")
            reply = Reply.empty(call.wanted)
        elif is_sentence(text, payload.style):
            reply = Reply.empty(call.wanted)
            reply.sentence = text
        else:
            reply = read_document(
                text,
                payload.reply_root,
                call.wanted,
                mark=call.paged.mark,
                keep=keep,
                style=payload.style,
            )
        reply.outer = outer
        return reply

    def _accepted(self, body: CappedReply, response: requests.Response) -> Reply:
        """A message that was taken in: an empty body, or an envelope with nothing in it."""
        text = b""
        while data := body.read(65536):
            text += data
        if text.strip() and response.headers.get("Content-Type", "").startswith("text/html"):
            raise ReplyBroken("a page for people")
        if b":Fault" in text or b"<Fault" in text:
            answer = read_envelope(io.BytesIO(text), "")
            if answer.fault is not None:
                judged = self.profile.rules.of_fault(answer.fault, response.status_code)
                raise errors.from_judgement(judged, write=True, response=response)
        return Reply([], [], etree.Element("accepted"))

    def _send(self, call: Call, exchange: Exchange, values: Mapping[str, Any]) -> requests.Response:
        from zeep.exceptions import Error as ZeepError

        from connectors.erp.arguments import arguments

        words = arguments(self.profile, call, values)
        service = self._services[call.service]
        try:
            headers = self.plugin.headers(str(values["session"]))
            if headers:
                words["_soapheaders"] = list(headers)
            response: requests.Response = service[call.operation](**words)
        except (ZeepError, ValueError, TypeError) as error:
            if exchange.sent or isinstance(error, requests.RequestException):
                raise
            raise ErpRefused(
                Message("The ERP cannot take this: %(text)s", text=str(error)[:500])
            ) from error
        return response

    def _clock(self, response: requests.Response) -> None:
        try:
            self.server_time = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError, TypeError):
            self.server_time = None

    def _note(self, call: str, exchange: Exchange, seconds: float, failure: Message | None) -> None:
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


def understood(reply: Reply) -> Reply:
    """The reply. Raises ErpDrift where any of its rows could not be read."""
    if reply.drift:
        raise errors.drifted(reply.drift)
    return reply
