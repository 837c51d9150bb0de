"""A dry run of a push: the ERP is asked whether it would take the order, nothing is entered.

Where it cannot be asked, what would have gone is kept in the envelope log.
"""

from __future__ import annotations

import dataclasses
import json
import uuid
from typing import NoReturn

from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.words import Message
from b2bcrm.orders.handlers.sending import ORDER, Push
from b2bcrm.ports.erp import Act, EnvelopeLog, OrderDraft
from b2bcrm.sync.writes import DRY_RUN

HIDDEN = frozenset({"unit_price", "discount_pct"})


class DryRun(Refused):
    """Nothing was sent, on purpose: the order waits until writing is switched on."""

    code = DRY_RUN


def rehearse(message: Push, log: EnvelopeLog | None) -> NoReturn:
    """Ask, or write down what would be sent. Raises DryRun with what the ERP would object to."""
    objections: list[str] = []
    if message.erp.describe().can(ORDER, Act.VALIDATE):
        issues = message.erp.validate(message.draft)  # the connector logs the exchange itself
        objections = [issue.text or issue.code for issue in issues]
    elif log is not None:
        log.note(
            call=f"dry-run {message.kind}",
            correlation_id=uuid.uuid4().hex,
            operation=f"dry-run {message.kind}",
            reference=message.draft.reference,
            request=legible(message.draft),
            reply=None,
            status=None,
            seconds=0.0,
            error=None,
        )
    if objections:
        text = "; ".join(objections)
        raise DryRun(Message("Dry run, nothing was sent. The ERP would say: %(text)s", text=text))
    raise DryRun(Message("Dry run, nothing was sent."))


def legible(draft: OrderDraft) -> bytes:
    """The draft for people to read; prices are for nobody's log."""
    content = dataclasses.asdict(draft)
    for line in content["lines"]:
        line.update(dict.fromkeys(HIDDEN, "***"))
    return json.dumps(content, default=str, ensure_ascii=False, indent=1).encode()
