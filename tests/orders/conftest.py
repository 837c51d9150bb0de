"""Promises that stand still: what an order asks of them is remembered, dates stay as they are."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from b2bcrm.kernel.words import Message
from b2bcrm.ports.promise import Answer, AskLine, PromiseMoved


@dataclass
class StillPromises:
    """Implements the part of ``ports.promise.Promising`` that orders call."""

    full_on: dt.date | None = None
    asked: list[AskLine] = field(default_factory=list)
    recorded: list[tuple[tuple[int, ...], str]] = field(default_factory=list)
    given_back: list[tuple[str, str, Decimal | None]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    def extend(self, order_ref, line, *, at_worst):
        self.asked.append(line)
        answer = Answer(line.ref, self.full_on or line.wanted_on, line.qty, Message("in stock"))
        if at_worst is not None and answer.full_on > at_worst:
            raise PromiseMoved((answer,))
        return answer

    def reduce(self, order_ref, line_ref, by=None):
        self.given_back.append((order_ref, line_ref, by))

    def record(self, order_ids, *, kind, reason):
        self.recorded.append((tuple(order_ids), kind))

    def release(self, ref):
        self.released.append(ref)


@pytest.fixture
def promises():
    return StillPromises()
