"""A case's life: states, acts, who may. Clocks stop while we wait for the customer."""

from __future__ import annotations

import enum

from b2bcrm.kernel.errors import IllegalAct
from b2bcrm.kernel.words import Message


class CaseState(enum.StrEnum):
    """Who has the ball."""

    OPEN = "open"
    WAITING = "waiting"
    SOLVED = "solved"
    CLOSED = "closed"


class CaseAct(enum.StrEnum):
    """What can be done to a case."""

    ANSWER = "answer"
    ASK_CUSTOMER = "ask_customer"
    WRITE = "write"
    SOLVE = "solve"
    REOPEN = "reopen"
    CLOSE = "close"


class CaseKind(enum.StrEnum):
    """What it is about."""

    COMPLAINT = "complaint"
    RETURN = "return"
    REPAIR = "repair"
    QUESTION = "question"


class CaseCause(enum.StrEnum):
    """Why it happened, as found when it was solved."""

    MATERIAL = "material"
    MACHINING = "machining"
    ASSEMBLY = "assembly"
    PACKING = "packing"
    TRANSPORT = "transport"
    WRONG_ITEM = "wrong_item"
    PAPERS = "papers"
    INSTALLATION = "installation"
    ADVICE = "advice"
    NO_FAULT = "no_fault"


S, C, Y = "service", "customer", "system"
_O, _W, _S = CaseState.OPEN, CaseState.WAITING, CaseState.SOLVED
TRANSITIONS: tuple[tuple[CaseState, CaseAct, CaseState, frozenset[str]], ...] = (
    (_O, CaseAct.ANSWER, _O, frozenset({S})),
    (_O, CaseAct.ASK_CUSTOMER, _W, frozenset({S})),
    (_O, CaseAct.WRITE, _O, frozenset({C})),
    (_O, CaseAct.SOLVE, _S, frozenset({S})),
    (_W, CaseAct.ANSWER, _W, frozenset({S})),
    (_W, CaseAct.WRITE, _O, frozenset({C})),
    (_W, CaseAct.SOLVE, _S, frozenset({S})),
    (_S, CaseAct.WRITE, _O, frozenset({C})),
    (_S, CaseAct.REOPEN, _O, frozenset({S, C})),
    (_S, CaseAct.CLOSE, CaseState.CLOSED, frozenset({S, C, Y})),
)

STATE_WORDS = {
    CaseState.OPEN: Message("open"),
    CaseState.WAITING: Message("waiting for the customer"),
    CaseState.SOLVED: Message("solved"),
    CaseState.CLOSED: Message("closed"),
}
KIND_WORDS = {
    CaseKind.COMPLAINT: Message("Complaint"),
    CaseKind.RETURN: Message("Return"),
    CaseKind.REPAIR: Message("Repair"),
    CaseKind.QUESTION: Message("Question"),
}
CAUSE_WORDS = {
    CaseCause.MATERIAL: Message("Material fault"),
    CaseCause.MACHINING: Message("Machining"),
    CaseCause.ASSEMBLY: Message("Assembly"),
    CaseCause.PACKING: Message("Packing"),
    CaseCause.TRANSPORT: Message("Transport damage"),
    CaseCause.WRONG_ITEM: Message("Wrong item or quantity"),
    CaseCause.PAPERS: Message("Wrong or missing papers"),
    CaseCause.INSTALLATION: Message("Installation or use"),
    CaseCause.ADVICE: Message("Advice was enough"),
    CaseCause.NO_FAULT: Message("No fault found"),
}


def after(state: CaseState, act: CaseAct) -> CaseState:
    """The state that ``act`` leads to; IllegalAct where the table has no such row."""
    for from_state, row_act, to_state, _who in TRANSITIONS:
        if (from_state, row_act) == (state, act):
            return to_state
    raise IllegalAct(
        Message("A case that is %(state)s cannot be changed this way.", state=STATE_WORDS[state])
    )


def acts(state: CaseState, who: str) -> frozenset[CaseAct]:
    """The acts open to ``who`` (service, customer, system) in ``state``: for buttons."""
    return frozenset(a for s, a, _to, allowed in TRANSITIONS if s == state and who in allowed)
