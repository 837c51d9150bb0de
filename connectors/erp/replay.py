"""Recorded exchanges through a profile once more: what it reads of them today, or would read.

Nothing is sent: the gateway stands on a session that answers every request with the recorded
reply. A recording is a file ``<call>.<anything>.reply.xml``, the call being the port's with
dashes, such as ``list-customer.1.reply.xml`` or ``get-sales_order.0815.reply.xml``.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from b2bcrm.kernel.errors import CrmError
from b2bcrm.ports.erp import Connection, Entity, Record
from connectors.erp.gateway import SoapErpGateway
from connectors.erp.profile import load

ENDING = ".reply.xml"
STAMP = re.compile(r"\.(\d{8}T\d{6})-")
MASK = b"***"  # what the log writes for prices and passwords; read as a nought by both sides


@dataclass(frozen=True)
class Recorded:
    """One recorded reply and the call that it answers."""

    path: Path
    act: str  # list or get
    entity: Entity
    at: dt.datetime


@dataclass
class Reading:
    """What a profile reads of a recording, by entity and key; ``held`` is what it holds back."""

    records: dict[Entity, dict[str, Record]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)  # "entity key" or file -> reason

    def put(self, record: Record, entity: Entity) -> None:
        """One record; a later one of the same key takes its place."""
        self.records.setdefault(entity, {})[record.erp_id] = record


@dataclass(frozen=True)
class Change:
    """One value that the changed profile reads otherwise; ``path`` is empty for a whole record."""

    entity: Entity
    erp_id: str
    path: str
    before: Any
    after: Any


def recordings(folder: Path, since: dt.datetime | None = None) -> list[Recorded]:
    """The replies in a folder that can be replayed, oldest first."""
    found = [_recorded(path) for path in sorted(folder.glob(f"*{ENDING}"))]
    known = [r for r in found if r is not None and (since is None or r.at >= since)]
    return sorted(known, key=lambda r: (r.at, r.path.name))


def _recorded(path: Path) -> Recorded | None:
    act, _, entity = path.name.partition(".")[0].partition("-")
    if act not in {"list", "get"} or entity not in set(Entity):
        return None
    stamp = STAMP.search(path.name)
    if stamp:
        at = dt.datetime.strptime(stamp[1], "%Y%m%dT%H%M%S").replace(tzinfo=dt.UTC)
    else:
        at = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    return Recorded(path, act, Entity(entity), at)


def read(connection: Connection, replies: Sequence[Recorded]) -> Reading:
    """All replies through the profile of ``connection``. Raises ProfileError, ErpConfig."""
    reading = Reading()
    answer = _Answering()
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, answer)
        profile = load(connection.profile, connection.site_wsdl)
        gateway = SoapErpGateway(connection, profile, session=session)
        gateway.channel.plugin.has_session = False  # nobody is there to log in to
        capabilities = gateway.describe().capabilities
        for reply in replies:
            if reply.entity not in capabilities:
                reading.held[reply.path.name] = "the profile does not read this kind of record"
                continue
            answer.body = reply.path.read_bytes().replace(MASK, b"0")
            try:
                if reply.act == "get":
                    record = gateway.get(reply.entity, "recorded")
                    if record is not None:
                        reading.put(record, reply.entity)
                    continue
                page = gateway.list(reply.entity)
            except CrmError as error:
                reading.held[reply.path.name] = str(error)
                continue
            for record in page.records:
                reading.put(record, reply.entity)
            for drift in page.drift:
                reading.held[f"{reply.entity} {drift.erp_id}"] = f"{drift.path}: {drift.reason}"
    return reading


def compare(before: Reading, after: Reading) -> Iterator[Change]:
    """Record by record and field by field what the second reading has otherwise."""
    for entity in Entity:
        old, new = before.records.get(entity, {}), after.records.get(entity, {})
        for erp_id in sorted(old.keys() | new.keys()):
            if erp_id not in new:
                yield Change(entity, erp_id, "", "read", "not read")
            elif erp_id not in old:
                yield Change(entity, erp_id, "", "not read", "read")
            else:
                for path, one, two in _unequal(old[erp_id], new[erp_id]):
                    yield Change(entity, erp_id, path, one, two)


def _unequal(one: Any, two: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Paths of the values in which two values of a kind differ."""
    if one == two and repr(one) == repr(two):  # 1.10 and 1.1 are equal, and not the same
        return
    if dataclasses.is_dataclass(one) and type(one) is type(two):
        for each in dataclasses.fields(one):
            inner = f"{path}.{each.name}" if path else each.name
            yield from _unequal(getattr(one, each.name), getattr(two, each.name), inner)
    elif isinstance(one, tuple) and isinstance(two, tuple) and len(one) == len(two):
        for number, (left, right) in enumerate(zip(one, two, strict=True), 1):
            yield from _unequal(left, right, f"{path}[{number}]")
    elif isinstance(one, Mapping) and isinstance(two, Mapping):
        for key in sorted(one.keys() | two.keys()):
            yield from _unequal(one.get(key), two.get(key), f"{path}.{key}")
    else:
        yield path, one, two


class _Answering(HTTPAdapter):
    """Answers every request with one body, as HTTP 200; nothing leaves the process."""

    body = b""

    def send(
        self, request: requests.PreparedRequest, *_how: Any, **_more: Any
    ) -> requests.Response:
        """The recorded reply."""
        raw = HTTPResponse(
            body=io.BytesIO(self.body),
            headers={"Content-Type": "text/xml; charset=utf-8"},
            status=200,
            preload_content=False,
            request_method=request.method,
        )
        return self.build_response(request, raw)
