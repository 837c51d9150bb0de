"""One run of the thirty checks over one connection."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable

from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import Act, Connection, Entity, ErpGateway
from connectors.erp.contract.checks import CHECKS
from connectors.erp.contract.findings import Check, Failed, Finding, Outcome, Report, Skipped
from connectors.erp.contract.ground import EXAMPLES, MAX_ROWS, Ground

log = logging.getLogger(__name__)


def run(
    connection: Connection,
    opener: Callable[..., ErpGateway],
    *,
    now: Callable[[], dt.datetime],
    write: bool,
    customer: str = "",
    item: str = "",
    max_rows: int = MAX_ROWS,
    told: Callable[[Finding], None] = lambda _: None,
) -> Report:
    """All checks over one connection. ``opener(**changes)`` makes a gateway to it.

    ``write`` allows orders to be entered; they are cancelled at the end, also when a check
    breaks. ``told`` hears of each finding as it is made. Raises what ``opener()`` raises.
    """
    ground = Ground(connection, opener, now, customer, item, max_rows)
    findings: list[Finding] = []
    try:
        for check in CHECKS:
            findings.append(_finding(check, ground, findings, write=write))
            told(findings[-1])
    finally:
        ground.tidy()
    if ground.unknown:
        ground.oddities.append(
            Message(
                "Elements that the profile does not name: %(names)s.",
                names=", ".join(f"{k} ({n})" for k, n in ground.unknown.most_common(4 * EXAMPLES)),
            )
        )
    return Report(
        connection=connection,
        info=ground.info,
        product=ground.product or ground.info.product,
        at=ground.started,
        findings=tuple(findings),
        oddities=tuple(ground.oddities),
        speeds=tuple(ground.speeds),
        calls_per_second=ground.calls_per_second,
        prefix=ground.prefix,
    )


def _finding(check: Check, ground: Ground, before: list[Finding], *, write: bool) -> Finding:
    if before and before[0].outcome is Outcome.FAILED:
        return Finding(check, Outcome.NOT_RUN, Message("The connection does not answer."))
    if check.writes and not ground.info.can(Entity.SALES_ORDER, Act.CREATE):
        reason = ground.reason(Act.CREATE, Entity.SALES_ORDER)
        return Finding(check, Outcome.SKIPPED, reason)
    if check.writes and not write:
        reason = Message("Orders are entered only on a test system, with --write.")
        return Finding(check, Outcome.NOT_RUN, reason)
    start = time.monotonic()
    outcome, evidence = _outcome(check, ground)
    return Finding(check, outcome, evidence, time.monotonic() - start)


def _outcome(check: Check, ground: Ground) -> tuple[Outcome, Message]:
    try:
        return Outcome.PASSED, check.run(ground)
    except Skipped as skipped:
        return Outcome.SKIPPED, skipped.message
    except (Failed, CrmError) as failed:
        return Outcome.FAILED, failed.message
    except Exception as error:  # a connector that breaks has failed the check, and the others go on
        log.exception("check %s", check.name)
        text = f"{type(error).__name__}: {error}"[:300]
        return Outcome.FAILED, Message("The connector broke: %(text)s", text=text)
