"""Checks of writing: an order is entered once and as sent, changed only as asked, cancelled.

Each check enters orders of its own under ``CRM-CERT-...``; what is left is cancelled at the end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from decimal import Decimal

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import (
    Act,
    Entity,
    ErpConflict,
    ErpRefused,
    Idempotency,
    OrderDraft,
    SalesOrder,
    WriteMode,
    WriteResult,
)
from connectors.erp.contract.drafts import pattern
from connectors.erp.contract.findings import Failed, Skipped
from connectors.erp.contract.ground import Ground, names

HEADER = ("customer", "customer_po", "currency", "ship_to", "payment_terms")
LINE = ("item", "qty", "uom", "unit_price", "discount_pct", "requested_on", "promised_on")
ASK_TIMES, ASK_EVERY_S = 20, 1.5  # for an ERP that confirms later
QUOTED = "00420 \"引號\" '<&>' 料號"
EMOJI = "PO 7 😀"
PRICE, PLACES, LEAST_PLACES = Decimal("1234.567891"), 6, 2
NO_ITEM = "CRM-CERT-NO-SUCH-ITEM"


def validate(ground: Ground) -> Message:
    """The ERP's dry run objects to a bad order, not to a good one, and enters neither."""
    ground.must(Entity.SALES_ORDER, Act.VALIDATE)
    good = pattern(ground, ground.reference())
    bad = _with_unknown_item(pattern(ground, ground.reference()))
    if objections := ground.gateway.validate(good):
        raise Failed(Message("It objects to a good order: %(text)s", text=objections[0].text))
    if not ground.gateway.validate(bad):
        raise Failed(Message("It does not object to an item that does not exist."))
    for draft in (good, bad):
        if _found(ground, draft.reference):
            raise Failed(Message("It has entered order %(reference)s.", reference=draft.reference))
    return Message("A bad order was objected to, a good one was not; neither is in the ERP.")


def enter(ground: Ground) -> Message:
    """An entered order is found by its reference exactly once, line by line as it was sent."""
    draft, result = _with_exact_price(ground)
    order = _only(ground, draft.reference)
    if order.erp_id != result.erp_id:
        raise Failed(
            Message("It was told as %(told)s and is %(no)s.", told=result.erp_id, no=order.erp_id)
        )
    if odd := unlike(order, draft, result.line_map):
        raise Failed(Message("It is not as it was sent: %(names)s", names=names(odd)))
    if missing := {line.line_no for line in draft.lines} - result.line_map.keys():
        raise Failed(Message("The answer does not map lines %(names)s.", names=names(missing)))
    return Message(
        "%(reference)s is %(no)s; price %(price)s with all its decimals.",
        reference=draft.reference,
        no=order.erp_id,
        price=str(draft.lines[0].unit_price),
    )


def repeat(ground: Ground) -> Message:
    """A reference that was entered once is not entered twice."""
    claim = ground.capability(Entity.SALES_ORDER).idempotency
    if claim is Idempotency.NONE:
        raise Skipped(Message("Nothing keeps an order from being entered twice: people must look."))
    draft = pattern(ground, ground.reference())
    first = entered(ground, draft)
    if claim is Idempotency.NATIVE:
        try:
            again = ground.gateway.create(draft)
        except ErpRefused as error:
            said = error.message
        else:
            if again.erp_id != first.erp_id:
                ground.entered.append(again.erp_id)
                raise Failed(Message("It was entered again, as %(no)s.", no=again.erp_id))
            said = Message("answered with the first order")
        _only(ground, draft.reference)
        return Message("The repeat was not entered: %(reason)s", reason=said)
    _only(ground, draft.reference)
    return Message("The look-up before a repeat finds %(no)s.", no=first.erp_id)


def keep_texts(ground: Ground) -> Message:
    """Chinese, quotes, angle brackets, leading zeros and emoji survive or are refused clearly."""
    base = pattern(ground, ground.reference())
    kept = []
    for text in (QUOTED, EMOJI):
        draft = dataclasses.replace(base, reference=ground.reference(), customer_po=text)
        try:
            entered(ground, draft)
        except ErpRefused as error:
            if _found(ground, draft.reference):
                raise Failed(Message("Refused, and entered nevertheless.")) from error
            ground.oddities.append(
                Message(
                    "The ERP refuses the text %(text)s: %(reason)s", text=text, reason=error.message
                )
            )
            continue
        stored = _only(ground, draft.reference).customer_po
        if stored != text:
            raise Failed(Message("%(sent)s came back as %(kept)s", sent=text, kept=stored or "-"))
        kept.append(text)
    return Message("Kept: %(names)s", names=names(kept) or "-")


def refuse(ground: Ground) -> Message:
    """A refusal names the field or the line, and leaves nothing behind."""
    draft = _with_unknown_item(pattern(ground, ground.reference()))
    try:
        result = entered(ground, draft)
    except ErpRefused as error:
        if _found(ground, draft.reference):
            raise Failed(Message("Refused, and entered nevertheless.")) from error
        return _objection(ground, error)
    raise Failed(
        Message("An item that does not exist was taken, as order %(no)s.", no=result.erp_id)
    )


def _objection(ground: Ground, error: ErpRefused) -> Message:
    """What a refusal names: field or line, or at least the value in its words."""
    named = [i for i in error.issues if i.field or i.line_no is not None]
    spoken = [i for i in error.issues if NO_ITEM in i.text]
    if not named and not spoken:
        raise Failed(Message("It names neither field nor line: %(reason)s", reason=error.message))
    issue = (named or spoken)[0]
    if not named:
        ground.oddities.append(
            Message(
                "Refusals name neither field nor line, only the value: %(text)s", text=issue.text
            )
        )
    return Message(
        "Line %(line)s, field %(field)s: %(text)s",
        line=issue.line_no if issue.line_no is not None else "-",
        field=issue.field or "-",
        text=issue.text,
    )


def change(ground: Ground) -> Message:
    """A change changes what was asked for and nothing else, line by line."""
    ground.must(Entity.SALES_ORDER, Act.UPDATE)
    draft, result = _fresh(ground)
    before = _only(ground, draft.reference)
    changed = _amended(draft)
    done = ground.gateway.update(result.erp_id, changed, expected_version=result.version)
    _settled(ground, done)
    order = _only(ground, changed.reference)
    if odd := unlike(order, changed, result.line_map):
        raise Failed(Message("It is not as it was sent: %(names)s", names=names(odd)))
    if len(order.lines) != len(before.lines):
        raise Failed(Message("The order has another number of lines now."))
    return Message("%(no)s: quantity of line 1 changed, all else is as before.", no=order.erp_id)


def conflict(ground: Ground) -> Message:
    """A change that is based on an old version is refused as a conflict."""
    ground.must(Entity.SALES_ORDER, Act.UPDATE)
    if not ground.capability(Entity.SALES_ORDER).optimistic_lock:
        raise Skipped(Message("The ERP does not guard against overtaken changes."))
    draft, result = _fresh(ground)
    changed = _amended(draft)
    ground.gateway.update(result.erp_id, changed, expected_version=result.version)
    late = dataclasses.replace(_amended(changed), lines=changed.lines[:1])
    try:
        ground.gateway.update(result.erp_id, late, expected_version=result.version)
    except ErpConflict:
        if odd := unlike(_only(ground, changed.reference), changed, result.line_map):
            raise Failed(Message("It is not as it was sent: %(names)s", names=names(odd))) from None
        return Message("%(no)s stayed as the first change left it.", no=result.erp_id)
    except ErpRefused as error:
        raise Failed(Message("It was told as: %(reason)s", reason=error.message)) from error
    raise Failed(Message("The second change overwrote the first."))


def cancel(ground: Ground) -> Message:
    """A cancelled order reads as cancelled; an unknown one cannot be cancelled."""
    ground.must(Entity.SALES_ORDER, Act.CANCEL)
    draft, result = _fresh(ground)
    ground.gateway.cancel(result.erp_id, reference=draft.reference, reason="CRM-CERT <&>")
    ground.entered.remove(result.erp_id)
    found = _found(ground, draft.reference)
    standing = [o.erp_id for o in found if o.status != "cancelled" and not o.deleted]
    if standing:
        raise Failed(Message("It is still open: %(names)s", names=names(standing)))
    try:
        ground.gateway.cancel("CRM-CERT-0", reference="", reason="")
    except ErpRefused:
        return Message("%(no)s is cancelled; an unknown order was refused.", no=result.erp_id)
    raise Failed(Message("Cancelling an order that does not exist was told as success."))


def _with_exact_price(ground: Ground) -> tuple[OrderDraft, WriteResult]:
    """An order with as many decimals in its price as are taken; we keep six.

    An ERP that keeps fewer must refuse the others: a rounded price is another price.
    """
    for places in range(PLACES, LEAST_PLACES - 1, -1):
        ground.price = round(PRICE, places)
        draft = pattern(ground, ground.reference())
        try:
            result = entered(ground, draft)
        except ErpRefused:
            if places == LEAST_PLACES:
                raise
            continue
        if places < PLACES:
            ground.oddities.append(
                Message("Prices with more than %(places)s decimals are refused.", places=places)
            )
        return draft, result
    raise AssertionError("the last price is entered or refused")


# ----- what the checks share -----


def entered(ground: Ground, draft: OrderDraft) -> WriteResult:
    """Enter a draft and wait for an ERP that confirms later; noted to be cancelled."""
    result = _settled(ground, ground.gateway.create(draft))
    late = ground.capability(Entity.SALES_ORDER).write_mode is not WriteMode.SYNC
    if not result.erp_id and late and (found := _found(ground, draft.reference)):
        result = dataclasses.replace(result, erp_id=found[0].erp_id)
    if not result.erp_id:
        raise Failed(Message("The ERP has not told the order's number."))
    ground.entered.append(result.erp_id)
    return result


def _settled(ground: Ground, result: WriteResult) -> WriteResult:
    """What became of a write that was only taken in, as soon as the ERP tells it."""
    for _ in range(ASK_TIMES):
        if result.erp_id or not result.handle:
            break
        ground.pause(ASK_EVERY_S)
        told = ground.gateway.poll(result.handle) or result
        result = dataclasses.replace(told, line_map=told.line_map or result.line_map)
    return result


def unlike(order: SalesOrder, draft: OrderDraft, lines: Mapping[int, int]) -> list[str]:
    """Where an order differs from the draft it was made from: ``field: sent > kept``.

    ``lines`` are our line numbers to the ERP's, where those are others.
    """
    odd = [
        f"{name}: {getattr(draft, name)} > {getattr(order, name)}"
        for name in ("reference", *HEADER)
        if getattr(draft, name) != getattr(order, name)
    ]
    kept = {line.line_no: line for line in order.lines if line.status != "cancelled"}
    for sent in draft.lines:
        line = kept.pop(lines.get(sent.line_no, sent.line_no), None)
        if line is None:
            odd.append(f"line {sent.line_no}: -")
            continue
        odd += [
            f"line {sent.line_no} {name}: {getattr(sent, name)} > {getattr(line, name)}"
            for name in LINE
            if getattr(sent, name) != getattr(line, name)
        ]
    return odd + [f"line {no}: +" for no in kept]


def _fresh(ground: Ground) -> tuple[OrderDraft, WriteResult]:
    draft = pattern(ground, ground.reference())
    return draft, entered(ground, draft)


def _amended(draft: OrderDraft) -> OrderDraft:
    """The next amendment: one piece more of line 1."""
    no, _, amendment = draft.reference.partition("/")
    first = dataclasses.replace(draft.lines[0], qty=draft.lines[0].qty + 1)
    return dataclasses.replace(
        draft, reference=f"{no}/{int(amendment) + 1}", lines=(first, *draft.lines[1:])
    )


def _with_unknown_item(draft: OrderDraft) -> OrderDraft:
    bad = dataclasses.replace(draft.lines[1], item=NO_ITEM)
    return dataclasses.replace(draft, lines=(draft.lines[0], bad))


def _found(ground: Ground, reference: str) -> list[SalesOrder]:
    """The orders that carry the reference's number, in any amendment."""
    number = reference.partition("/")[0]
    found = ground.gateway.lookup(Entity.SALES_ORDER, "reference", number)
    return [order for order in found if isinstance(order, SalesOrder)]


def _only(ground: Ground, reference: str) -> SalesOrder:
    found = _found(ground, reference)
    if len(found) != 1:
        raise Failed(
            Message(
                "%(reference)s is in the ERP %(count)s times.",
                reference=reference,
                count=len(found),
            )
        )
    return found[0]
