"""Promises that stand still: what an order asks of them is remembered, dates stay as they are."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest


@dataclass
class StillPromises:
    """Implements the part of ``ports.promise.Promising`` that orders call."""

    recorded: list[tuple[tuple[int, ...], str]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    def record(self, order_ids, *, kind, reason):
        self.recorded.append((tuple(order_ids), kind))

    def release(self, ref):
        self.released.append(ref)


@pytest.fixture
def promises():
    return StillPromises()
