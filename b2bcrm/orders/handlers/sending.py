"""What is said to the ERP about one order, with no transaction open.

A create is sent once: after an attempt of unknown outcome the reference is looked up, and it is
sent again only when it has been missing for long enough. An update is read, compared and
written: what somebody changed in the ERP since we last looked is never overwritten. After every
write the order is read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.words import Message
from b2bcrm.orders.actions import sides
from b2bcrm.ports.erp import (
    Confirmation,
    Entity,
    ErpCannot,
    ErpConflict,
    ErpGateway,
    ErpRefused,
    ErpUnavailable,
    OrderDraft,
    Record,
    SalesOrder,
    WriteResult,
)
from b2bcrm.sync.conflicts import OVERTAKEN
from b2bcrm.sync.entering import Entering, Past, TakenIn, read_back
from b2bcrm.sync.ownership import Owner, Verdict, change, owner_of, verdict
from b2bcrm.sync.refs import Mark
from b2bcrm.sync.writes import Kind

ORDER = Entity.SALES_ORDER
_NOT_COMPARED = frozenset({"total", "promised_on"})


class Overtaken(Refused):
    """The order was changed in the ERP since we last saw it: ``current``. Nothing was sent."""

    code = OVERTAKEN

    def __init__(self, current: SalesOrder) -> None:
        super().__init__(Message("The order was changed in the ERP: a person decides first."))
        self.current = current


@dataclass(frozen=True, kw_only=True)
class Push:
    """What is to happen in the ERP, and what is known about earlier attempts.

    ``only_look``: our order was cancelled meanwhile, so it is not entered any more; only an
    earlier attempt may have entered it. ``done``: a person or the ERP has said what became of it.
    ``image`` is what the ERP was last seen to hold, ``sent`` what was sealed by amendment,
    ``seen`` what a pull had brought last. ``erp`` is the gateway of ``connection``.
    """

    erp: ErpGateway
    connection: str
    kind: Kind
    draft: OrderDraft
    erp_no: str = ""
    cancel_reason: str = ""
    only_look: bool = False
    done: WriteResult | None = None
    confirmed: Confirmation | None = None
    handle: str = ""
    past: Past = field(default_factory=Past)
    dry_run: bool = False
    image: Mapping[str, str] = field(default_factory=dict)
    sent: Mapping[int, sides.Values] = field(default_factory=dict)
    seen: Mark | None = None


@dataclass(frozen=True)
class Sent:
    """``kept`` is the order as the ERP holds it now, None where it could not be read back.

    ``result`` None: the ERP does not know the order and, being cancelled, it never will.
    ``connection`` and ``seen`` are the message's.
    """

    result: WriteResult | None
    kept: SalesOrder | None = None
    guarded: bool = True
    connection: str = ""
    seen: Mark | None = None


@dataclass(frozen=True)
class Sender:
    """One delivery's talk with one ERP."""

    message: Push

    @property
    def erp(self) -> ErpGateway:
        """Who is asked."""
        return self.message.erp

    def send(self, *, again: bool) -> Sent:
        """Do it, or find it done, and read it back."""
        message = self.message
        result = self._answered()
        if result is not None:
            return self._read_back(result)
        if message.kind is Kind.CREATE:
            return self._create(again=again)
        current = self._current()
        if message.kind is Kind.CANCEL:
            return self._cancel(current)
        return self._update(current)

    def _answered(self) -> WriteResult | None:
        """What became of an earlier attempt, where somebody has said so."""
        message = self.message
        if message.confirmed is not None:
            if message.confirmed.result is None:
                issues = message.confirmed.refused
                text = "; ".join(issue.text or issue.code for issue in issues)
                raise ErpRefused(Message("The ERP refused it: %(text)s", text=text), issues=issues)
            return message.confirmed.result
        if message.done is not None:
            return message.done
        if not message.handle:
            return None
        try:
            result = self.erp.poll(message.handle)
        except ErpCannot:  # it will call us
            result = None
        if result is None:
            raise TakenIn(message.handle)
        return result

    def _create(self, *, again: bool) -> Sent:
        message = self.message
        entering = Entering(
            erp=self.erp,
            entity=ORDER,
            reference=message.draft.reference,
            past=message.past,
            create=lambda: self.erp.create(message.draft),
        )
        result, found = entering.once(again=again, only_look=message.only_look)
        if result is None or isinstance(found, SalesOrder):
            return Sent(result, found if isinstance(found, SalesOrder) else None)
        return self._read_back(result)

    def _current(self) -> SalesOrder:
        found = self.erp.get(ORDER, self.message.erp_no)
        if not isinstance(found, SalesOrder):
            raise ErpRefused(
                Message("The ERP has no order %(no)s any more.", no=self.message.erp_no)
            )
        return found

    def _cancel(self, current: SalesOrder) -> Sent:
        message = self.message
        if current.status == sides.CANCELLED:
            return Sent(WriteResult(current.erp_id, current.version), current)
        result = self.erp.cancel(
            message.erp_no, reference=message.draft.reference, reason=message.cancel_reason
        )
        return self._read_back(result)

    def _update(self, current: SalesOrder) -> Sent:
        message = self.message
        if holds(current, message.draft):
            return Sent(WriteResult(current.erp_id, current.version), current)
        if overtaken(message, current):
            raise Overtaken(current)
        guarded = self.erp.describe().capabilities[ORDER].optimistic_lock
        try:
            result = self.erp.update(
                message.erp_no,
                message.draft,
                expected_version=current.version if guarded else "",
            )
        except ErpConflict as error:  # changed since we read it a moment ago: read it again
            raise ErpUnavailable(error.message) from error
        return self._read_back(result, guarded=guarded)

    def _read_back(self, result: WriteResult, *, guarded: bool = True) -> Sent:
        kept = read_back(self.erp, ORDER, result, self._shows)
        return Sent(result, kept if isinstance(kept, SalesOrder) else None, guarded)

    def _shows(self, kept: Record) -> bool:
        """Whether the ERP's order is ours, in the state that was written."""
        if not isinstance(kept, SalesOrder):
            return False
        if self.message.kind is Kind.CANCEL:
            return kept.status == sides.CANCELLED
        return kept.reference == self.message.draft.reference


def holds(current: SalesOrder, draft: OrderDraft) -> bool:
    """Whether the ERP's order is what the draft says already, reference and promises included."""
    if current.reference != draft.reference:
        return False
    promised = {line.line_no: line.promised_on for line in draft.lines}
    same = all(promised.get(ln.line_no, ln.promised_on) == ln.promised_on for ln in current.lines)
    return same and not sides.differing(sides.drafted(draft), sides.theirs(current))


def overtaken(message: Push, current: SalesOrder) -> bool:
    """Whether writing the draft would overwrite what somebody has changed in the ERP."""
    bases = [message.image, *sides.sent_as(current.reference, message.sent)]
    wanted, shown = sides.both_sides(sides.drafted(message.draft), sides.theirs(current))
    for name, value in shown.items():
        bare = sides.split(name)[1]
        told = {base[name] for base in bases if name in base}
        if bare in _NOT_COMPARED or name not in wanted or not told:
            continue
        owner = owner_of(ORDER, bare)
        moved = change(told, wanted[name], value)
        if owner is not Owner.ERP and verdict(owner, moved, accepted=True) is Verdict.ASK:
            return True
    return False
