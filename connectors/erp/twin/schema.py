"""Tables of the twin's SQLite file.

One table per kind of document. Keys that are searched are columns; ``body`` is the document as
everybody may see it (JSON, the field names of ``b2bcrm.ports.erp``), ``truth`` is what will
happen to it and what nobody may see: true dates, what a work order waits for, what is pegged.
``rev`` counts the visible changes, ``root`` is the sales order (or stock order) it belongs to.
"""

from __future__ import annotations

from b2bcrm.ports.erp import Entity

_TABLE = """
CREATE TABLE {name} (
    erp_id TEXT PRIMARY KEY,
    company TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    rev INTEGER NOT NULL,
    root TEXT NOT NULL,
    {extra}body TEXT NOT NULL,
    truth TEXT NOT NULL
)
"""
_EXTRA = {
    Entity.SALES_ORDER: """reference TEXT,
    customer TEXT NOT NULL,
    customer_po TEXT NOT NULL,
    status TEXT NOT NULL,
    """,
}
EXTRA_COLUMNS = {Entity.SALES_ORDER: ("reference", "customer", "customer_po", "status")}
ROOTED = (
    Entity.SALES_ORDER,
    Entity.WORK_ORDER,
    Entity.PURCHASE_ORDER,
    Entity.SHIPMENT,
    Entity.INVOICE,
)
"""The documents of one order: they are loaded and saved together."""

_OTHERS = (
    """
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    due_at TEXT NOT NULL,
    root TEXT NOT NULL,
    kind TEXT NOT NULL,
    ref TEXT NOT NULL
)
""",
    "CREATE INDEX event_due ON event (due_at, id)",
    "CREATE INDEX event_root ON event (root)",
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE INDEX sales_order_reference ON sales_order (reference)",
    "CREATE INDEX sales_order_po ON sales_order (customer_po)",
    "CREATE INDEX sales_order_customer ON sales_order (customer)",
)

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA temp_store = MEMORY",
)


def tables() -> list[str]:
    """Statements that make an empty file a twin's, without the indexes of documents."""
    made = [_TABLE.format(name=entity.value, extra=_EXTRA.get(entity, "")) for entity in Entity]
    return [*made, *_OTHERS]


def indexes() -> list[str]:
    """Indexes of documents; made after a bulk load because that is quicker."""
    made = [
        f"CREATE INDEX {entity.value}_changed ON {entity.value} (updated_at, erp_id)"
        for entity in Entity
    ]
    return made + [f"CREATE INDEX {e.value}_root ON {e.value} (root)" for e in ROOTED]
