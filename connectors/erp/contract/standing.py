"""Checks of the connection itself: login, company, clock, contract, time limits, load."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import (
    Act,
    Entity,
    ErpAuth,
    ErpOutcomeUnknown,
    ErpUnavailable,
)
from connectors.erp.contract.drafts import pattern
from connectors.erp.contract.findings import Failed, Skipped
from connectors.erp.contract.ground import Ground

SKEW_LIMIT_S = 300
SILENT_S = 0.4  # read time-out against a server that never answers
WITHIN_S = 10.0  # ...and when it must have given up, with every time limit of its own
DIGEST_CHARS = 64
NIGHT_S = 12 * 3600
NOBODY = "CRM-CERT-0"


def answers(ground: Ground) -> Message:
    """The connection answers, lets us in and knows its company."""
    health = ground.gateway.check()
    ground.product = health.product or ground.info.product
    if not health.ok:
        raise Failed(health.message)
    return Message(
        "%(product)s answers; company %(company)s.",
        product=ground.product,
        company=ground.connection.company or "-",
    )


def wrong_password(ground: Ground) -> Message:
    """A wrong password is told as such, not as an empty list or an outage."""
    if not ground.connection.secret:
        raise Skipped(Message("The connection has no password."))
    entity = ground.can(Act.LIST)[0]
    try:
        page = ground.open(secret=f"{ground.connection.secret}-no").list(entity, page_size=1)
    except ErpAuth:
        return Message("One call with a wrong password was refused as such.")
    except CrmError as error:
        raise Failed(Message("It was told as: %(reason)s", reason=error.message)) from error
    raise Failed(Message("It was let in and read %(count)s records.", count=len(page.records)))


def wrong_company(ground: Ground) -> Message:
    """A company that does not exist is noticed before anything is read into ours."""
    if not ground.connection.company:
        raise Skipped(Message("The connection names no company."))
    gateway = ground.open(company=NOBODY)
    try:
        health = gateway.check()
    except CrmError as error:
        return Message("Noticed: %(reason)s", reason=error.message)
    if health.ok:
        raise Failed(Message("A made-up company passes as an existing one."))
    return Message("Noticed: %(reason)s", reason=health.message)


def clocks(ground: Ground) -> Message:
    """The ERP's clock and ours agree within five minutes."""
    skew = ground.gateway.check().clock_skew_s
    if skew is None:
        raise Skipped(Message("The ERP does not tell its time."))
    if abs(skew) > SKEW_LIMIT_S:
        raise Failed(Message("They differ by %(seconds)s seconds.", seconds=round(skew)))
    return Message("They differ by %(seconds)s seconds.", seconds=round(skew))


def contract_digest(ground: Ground) -> Message:
    """The WSDL has a digest that stays the same, so that a changed contract is noticed."""
    first, again = ground.info.wsdl_digest, ground.open().describe().wsdl_digest
    theirs = ground.gateway.check().wsdl_digest
    if len(first) != DIGEST_CHARS or first != again:
        raise Failed(Message("It is %(first)s, then %(then)s.", first=first or "-", then=again))
    if theirs and theirs != first:
        raise Failed(Message("Ours is %(ours)s, the ERP's %(theirs)s.", ours=first, theirs=theirs))
    return Message("SHA-256 %(digest)s", digest=first)


def time_limits(ground: Ground) -> Message:
    """A silent server ends a read in time as unavailable, a sent order as outcome unknown."""
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, says nothing
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        gateway = ground.open(base_url=address, connect_timeout_s=SILENT_S, read_timeout_s=SILENT_S)
        start = time.monotonic()
        _expect(ErpUnavailable, lambda: gateway.list(ground.can(Act.LIST)[0], page_size=1))
        seconds = time.monotonic() - start
        if ground.info.can(Entity.SALES_ORDER, Act.CREATE):
            draft = pattern(ground, ground.reference())
            # a connection that logs in first may end before the order has left
            kinds = (ErpOutcomeUnknown, ErpUnavailable)
            told = _expect(kinds, lambda: gateway.create(draft))
            if draft.reference.encode() in _taken_in(silent):
                _expect(ErpOutcomeUnknown, lambda: _again(told))
    if seconds > WITHIN_S:
        raise Failed(Message("It waited %(seconds)s seconds.", seconds=round(seconds)))
    return Message(
        "With a limit of %(limit)s s the call ended after %(seconds)s s.",
        limit=str(SILENT_S),
        seconds=f"{seconds:.1f}",
    )


def load(ground: Ground) -> Message:
    """As many calls at once as the profile says give equal answers; speed is measured."""
    entity, at_once = ground.can(Act.LIST)[0], max(1, ground.info.concurrency)
    start = time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        pages = list(pool.map(lambda _: ground.gateway.list(entity, page_size=50), range(at_once)))
    seconds = time.monotonic() - start
    ground.calls_per_second = at_once / seconds if seconds else float(at_once)
    if len({tuple(record.erp_id for record in page.records) for page in pages}) != 1:
        raise Failed(Message("%(count)s equal calls at once got different answers.", count=at_once))
    rows = sum(len(listing.records) for listing in ground.listings())
    took = sum(listing.seconds for listing in ground.listings())
    if took > NIGHT_S:
        raise Failed(Message("A first load takes more than a night."))
    return Message(
        "%(count)s calls at once, %(calls)s calls/s; %(rows)s records at %(speed)s records/s.",
        count=at_once,
        calls=f"{ground.calls_per_second:.1f}",
        rows=rows,
        speed=round(rows / took) if took else rows,
    )


def _taken_in(silent: socket.socket) -> bytes:
    """What has been sent to a server that never looked at it."""
    taken = b""
    silent.settimeout(0)
    with suppress(OSError):
        while True:
            connection, _ = silent.accept()
            with connection, suppress(OSError):
                connection.settimeout(SILENT_S)
                while data := connection.recv(65536):
                    taken += data
    return taken


def _again(error: CrmError) -> None:
    raise error


def _expect(
    kind: type[CrmError] | tuple[type[CrmError], ...], act: Callable[[], object]
) -> CrmError:
    """The error of ``act``. Raises Failed unless it is of the kind."""
    try:
        act()
    except kind as expected:
        return expected
    except CrmError as error:
        raise Failed(
            Message(
                "A server that says nothing was told as %(code)s: %(reason)s",
                code=error.code,
                reason=error.message,
            )
        ) from error
    raise Failed(Message("A server that says nothing was told as success."))
