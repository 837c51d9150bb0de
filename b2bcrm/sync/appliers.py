"""What a feature's intake answers, and its signature. Registered per entity in bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work


@dataclass(frozen=True)
class Applied:
    """``changed`` counts rows that differ from before; ``parked`` are (erp_id, reason) pairs."""

    changed: int = 0
    parked: tuple[tuple[str, Message], ...] = ()


Applier = Callable[[Work, Sequence[Any]], Applied]
