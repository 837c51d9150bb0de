"""What a feature's intake answers, and its signature. Registered per entity in bootstrap.

A record with ``deleted`` set is gone in the ERP. Where the ERP only stopped listing it, all its
other fields are empty (see ``tombstones``): an intake looks at its id and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Record


@dataclass(frozen=True)
class Applied:
    """``changed`` counts rows that differ from before; ``parked`` are (erp_id, reason) pairs."""

    changed: int = 0
    parked: tuple[tuple[str, Message], ...] = ()


Applier = Callable[[Work, Sequence[Any]], Applied]
Identify = Callable[[Work, Sequence[str]], Mapping[str, int]]
"""ERP ids to ids of our rows; ids without a row are left out."""


def apply_all(work: Work, appliers: Sequence[Applier], records: Sequence[Record]) -> Applied:
    """Give the records to each applier in turn; parked rows and changes add up."""
    changed, parked = 0, {}
    for applier in appliers:
        result = applier(work, records)
        changed += result.changed
        parked.update(dict(result.parked))
    return Applied(changed=changed, parked=tuple(parked.items()))
