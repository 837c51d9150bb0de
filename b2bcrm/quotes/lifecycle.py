"""A quote's life: states, acts, who may; and an inquiry's. Terminal states are never left."""

from __future__ import annotations

import enum

from b2bcrm.kernel.errors import IllegalAct
from b2bcrm.kernel.words import Message


class Channel(enum.StrEnum):
    """How an inquiry came in."""

    PORTAL = "portal"
    MAIL = "mail"
    PHONE = "phone"
    VISIT = "visit"


class InquiryState(enum.StrEnum):
    """Open until it is quoted or declined."""

    OPEN = "open"
    QUOTED = "quoted"
    DECLINED = "declined"


class QuoteState(enum.StrEnum):
    """What was decided about this revision."""

    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    LOST = "lost"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class QuoteAct(enum.StrEnum):
    """What can be done to a revision."""

    EDIT = "edit"
    SEND = "send"
    REVISE = "revise"
    ACCEPT = "accept"
    LOSE = "lose"
    EXPIRE = "expire"


S, C, Y = "sales", "customer", "system"
_D, _T = QuoteState.DRAFT, QuoteState.SENT
TRANSITIONS: tuple[tuple[QuoteState, QuoteAct, QuoteState, frozenset[str]], ...] = (
    (_D, QuoteAct.EDIT, _D, frozenset({S})),
    (_D, QuoteAct.SEND, _T, frozenset({S})),
    (_D, QuoteAct.LOSE, QuoteState.LOST, frozenset({S})),
    (_T, QuoteAct.REVISE, QuoteState.SUPERSEDED, frozenset({S, Y})),
    (_T, QuoteAct.ACCEPT, QuoteState.ACCEPTED, frozenset({S, C})),
    (_T, QuoteAct.LOSE, QuoteState.LOST, frozenset({S, C})),
    (_T, QuoteAct.EXPIRE, QuoteState.EXPIRED, frozenset({Y})),
    (QuoteState.EXPIRED, QuoteAct.REVISE, QuoteState.SUPERSEDED, frozenset({S})),
)
FINAL = frozenset({QuoteState.ACCEPTED, QuoteState.LOST, QuoteState.SUPERSEDED})

STATE_WORDS = {
    QuoteState.DRAFT: Message("draft"),
    QuoteState.SENT: Message("sent"),
    QuoteState.ACCEPTED: Message("accepted"),
    QuoteState.LOST: Message("lost"),
    QuoteState.EXPIRED: Message("expired"),
    QuoteState.SUPERSEDED: Message("superseded"),
}


def after(state: QuoteState, act: QuoteAct) -> QuoteState:
    """The state that ``act`` leads to; IllegalAct where the table has no such row."""
    for from_state, row_act, to_state, _who in TRANSITIONS:
        if (from_state, row_act) == (state, act):
            return to_state
    raise IllegalAct(
        Message("A quote that is %(state)s cannot be changed this way.", state=STATE_WORDS[state])
    )


def acts(state: QuoteState, who: str) -> frozenset[QuoteAct]:
    """The acts open to ``who`` (sales, customer, system) in ``state``: for buttons."""
    return frozenset(a for s, a, _to, allowed in TRANSITIONS if s == state and who in allowed)


class LossReason(enum.StrEnum):
    """Why a quote did not become an order."""

    PRICE = "price"
    DATE = "date"
    TECHNICAL = "technical"
    COMPETITOR = "competitor"
    CANCELLED = "cancelled"
    NO_ANSWER = "no_answer"
    OTHER = "other"


LOSS_WORDS = {
    LossReason.PRICE: Message("price"),
    LossReason.DATE: Message("delivery date"),
    LossReason.TECHNICAL: Message("technical reasons"),
    LossReason.COMPETITOR: Message("another supplier"),
    LossReason.CANCELLED: Message("project cancelled"),
    LossReason.NO_ANSWER: Message("no answer"),
    LossReason.OTHER: Message("other reason"),
}
INQUIRY_WORDS = {
    InquiryState.OPEN: Message("open"),
    InquiryState.QUOTED: Message("quoted"),
    InquiryState.DECLINED: Message("declined"),
}
CHANNEL_WORDS = {
    Channel.PORTAL: Message("customer portal"),
    Channel.MAIL: Message("e-mail"),
    Channel.PHONE: Message("telephone"),
    Channel.VISIT: Message("visit"),
}
STATUS = {
    QuoteState.DRAFT: "idle",
    QuoteState.SENT: "ok",
    QuoteState.ACCEPTED: "done",
    QuoteState.LOST: "late",
    QuoteState.EXPIRED: "risk",
    QuoteState.SUPERSEDED: "idle",
}
INQUIRY_STATUS = {
    InquiryState.OPEN: "risk",
    InquiryState.QUOTED: "done",
    InquiryState.DECLINED: "idle",
}
