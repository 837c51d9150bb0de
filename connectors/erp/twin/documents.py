"""The documents of one order in memory: what the engine works on and the store keeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from b2bcrm.ports.erp import Entity

Body = dict[str, Any]


@dataclass(slots=True)
class Doc:
    """A document: ``body`` is visible, ``truth`` hidden; ``dirty`` until it is stored."""

    entity: Entity
    erp_id: str
    company: str
    body: Body
    truth: Body = field(default_factory=dict)
    rev: int = 0
    updated_at: str = ""
    dirty: bool = True

    def touch(self, moment: str) -> None:
        """A visible change at ``moment``: delta reads find the document again."""
        self.rev += 1
        self.updated_at = moment
        self.dirty = True


@dataclass(slots=True)
class Chain:
    """An order with all that is made, bought, sent and billed for it.

    ``order`` is None for a chain that fills the stock; its ``root`` is then the work or purchase
    order it began with.
    """

    root: str
    order: Doc | None = None
    works: dict[str, Doc] = field(default_factory=dict)
    buys: dict[str, Doc] = field(default_factory=dict)
    shipments: dict[str, Doc] = field(default_factory=dict)
    invoices: dict[str, Doc] = field(default_factory=dict)

    def add(self, doc: Doc) -> Doc:
        """Put a document in its place."""
        if doc.entity is Entity.SALES_ORDER:
            self.order = doc
        else:
            {
                Entity.WORK_ORDER: self.works,
                Entity.PURCHASE_ORDER: self.buys,
                Entity.SHIPMENT: self.shipments,
                Entity.INVOICE: self.invoices,
            }[doc.entity][doc.erp_id] = doc
        return doc

    def docs(self) -> Iterator[Doc]:
        """Every document of the chain."""
        if self.order is not None:
            yield self.order
        for group in (self.works, self.buys, self.shipments, self.invoices):
            yield from group.values()

    def sales(self) -> Doc:
        """The sales order; an error if the chain fills the stock."""
        if self.order is None:
            raise LookupError(f"{self.root} is no sales order")
        return self.order

    def line(self, line_no: int) -> Body:
        """The visible body of an order line."""
        for line in self.sales().body["lines"]:
            if line["line_no"] == line_no:
                found: Body = line
                return found
        raise LookupError(f"{self.root} has no line {line_no}")
