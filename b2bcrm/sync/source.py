"""One ERP connection as the engine sees it: who is asked, where Works are opened, who applies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from b2bcrm.kernel.work import Office
from b2bcrm.ports.erp import Capability, Entity, ErpGateway
from b2bcrm.sync.appliers import Applier, Identify

PAGE_SIZE = 200


def nowhere(_point: str) -> None:
    """The named points between the steps mean nothing in production."""


@dataclass(frozen=True)
class Source:
    """``connection`` is its code. ``identify`` tells our ids of applied records, by entity.

    ``at_point`` is called with a name between the steps; tests end the process there.
    """

    office: Office
    erp: ErpGateway
    connection: str
    appliers: Mapping[Entity, Sequence[Applier]]
    identify: Mapping[Entity, Identify] = field(default_factory=dict)
    at_point: Callable[[str], None] = nowhere
    page_size: int = PAGE_SIZE

    def capability(self, entity: Entity) -> Capability:
        """What the connection can do with ``entity``; nothing where the profile is silent."""
        found = self.erp.describe().capabilities.get(entity)
        return found or Capability(acts=frozenset())
