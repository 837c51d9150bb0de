"""How each fault looks on the wire: answers bent, spoilt, cut off, dripped, or never sent."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass

from lxml import etree

from b2bcrm.ports.erp import Entity
from connectors.erp.outgoing import outgoing
from connectors.erp.twin.codec import RECORDS
from connectors.erp.twin.faults import Fault
from connectors.erp.twin.wire import NAMESPACE, attribute

RECENT = dt.timedelta(seconds=90)  # a long transaction stamps this much before it commits
HOURS_OFF = dt.timedelta(hours=2)
_HTML = {
    Fault.HTML_200: ("200 OK", "<!doctype html><title>Sign in</title><p>Sign in<br>"),
    Fault.HTML_404: ("404 Not Found", "<!doctype html><title>404</title><p>Not found<br>"),
    Fault.HTML_502: ("502 Bad Gateway", "<html><h1>502 Bad Gateway</h1>"),
    Fault.DOWN_503: ("503 Service Unavailable", "<h1>503 Service Unavailable</h1>"),
}


class AnswerLost(ConnectionError):
    """No answer is to come: the connection stays open and silent."""


class AnswerCut(ConnectionError):
    """The rest of the answer is not to come: the connection is reset."""


class Restarting(ConnectionError):
    """All connections break, and new ones are refused for ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__("the ERP is restarted")
        self.seconds = seconds


@dataclass(frozen=True)
class Pace:
    """How long troubles last, in seconds."""

    silent_s: float = 90.0  # an answer that never comes: until the caller hangs up, or this
    drip_s: float = 1.0  # between two bytes
    lockout_s: float = 5.0  # no login is taken after a session has ended
    restart_s: float = 3.0


@dataclass(frozen=True)
class Answer:
    """What is sent: status line, media type, body; ``fault`` says how it is sent."""

    status: str
    kind: str
    body: bytes
    fault: Fault | None = None

    def parts(self, pace: Pace) -> Iterable[bytes]:
        """The body as it comes over the wire."""
        if self.fault is Fault.RESET_MID_BODY:
            return _cut(self.body)
        if self.fault is Fault.SLOW_DRIP:
            return _drip(self.body, pace.drip_s)
        return [self.body]


def _cut(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise AnswerCut


def _drip(body: bytes, pause: float) -> Iterator[bytes]:
    for at in range(len(body)):
        yield body[at : at + 1]
        time.sleep(pause)


def page(fault: Fault) -> Answer | None:
    """The HTML page of a fault that shows one."""
    if fault not in _HTML:
        return None
    status, text = _HTML[fault]
    return Answer(status, "text/html", text.encode())


def rows_of(answer: etree._Element) -> list[etree._Element]:
    """The records in a list's answer: everything beside its page info."""
    return [child for child in answer if _local(child) != "PageInfo"]


def recent_rows(answer: etree._Element, now: dt.datetime) -> list[etree._Element]:
    """Those changed so shortly before ``now`` that they might not be committed yet."""
    floor = now - RECENT
    return [row for row in rows_of(answer) if (at := _changed_at(row)) is not None and at > floor]


def _changed_at(row: etree._Element) -> dt.datetime | None:
    """None for a row that does not say, such as a key."""
    text = row.findtext(f"{{{NAMESPACE}}}UpdatedAt")
    return dt.datetime.fromisoformat(text) if text else None


def bend(
    fault: Fault, answer: etree._Element, entity: Entity | None, now: dt.datetime, *, ahead: bool
) -> None:
    """Change an answer's content as the fault has it. ``entity`` of its rows, if it has rows."""
    if fault is Fault.MISSING_ELEMENT:
        _leave_out(rows_of(answer)[-1], entity)
    elif fault is Fault.CLOCK_OFF:
        _set_clock(answer, HOURS_OFF if ahead else -HOURS_OFF)
    elif fault is Fault.LATE_COMMIT:
        for row in recent_rows(answer, now):
            answer.remove(row)
        announce(answer)
    elif fault in _BEND:
        _BEND[fault](answer)


def _truncate(answer: etree._Element) -> None:
    for row in rows_of(answer)[-max(1, len(rows_of(answer)) // 3) :]:
        answer.remove(row)


def _double(answer: etree._Element) -> None:
    answer.extend([deepcopy(row) for row in rows_of(answer)])
    announce(answer)


def _add_element(answer: etree._Element) -> None:
    for row in rows_of(answer):
        fresh = etree.Element(f"{{{NAMESPACE}}}ApprovalStatus")
        fresh.text = "A"
        row.insert(0, fresh)


_BEND = {
    Fault.TRUNCATED_PAGE: _truncate,
    Fault.DUPLICATED_PAGE: _double,
    Fault.NEW_ELEMENT: _add_element,
}


def _set_clock(answer: etree._Element, off: dt.timedelta) -> None:
    for clock in answer.iter(f"{{{NAMESPACE}}}HighWatermark", f"{{{NAMESPACE}}}ServerTime"):
        clock.text = outgoing(dt.datetime.fromisoformat(clock.text or "") + off)


def announce(answer: etree._Element) -> None:
    """Let the page say how many rows it has."""
    announced = answer.find(f"{{{NAMESPACE}}}PageInfo/{{{NAMESPACE}}}Announced")
    if announced is not None:
        announced.text = str(len(rows_of(answer)))


def _leave_out(row: etree._Element, entity: Entity | None) -> None:
    """Take away what a record cannot be without: of a write's result, its number."""
    needed = {"erp_id"}
    if entity is not None:
        needed = {
            field.name
            for field in dataclasses.fields(RECORDS[entity])
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        } - {"erp_id"}
    there = [child for child in row if attribute(_local(child)) in needed]
    row.remove(there[len(there) // 2])


def misread(body: bytes, *, big5: bool) -> bytes:
    """The same text in another encoding than it declares."""
    text = body.decode()
    word, encoding = ("已處理", "big5") if big5 else ("geprüft", "latin-1")
    head, tail = text.rsplit("</", 1)
    return f"{head}<!-- {word} --></{tail}".encode(encoding, "xmlcharrefreplace")


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]
