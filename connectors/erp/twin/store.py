"""The twin's SQLite file: documents, coming events, settings. One connection, one lock.

What happens to documents is not decided here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from b2bcrm.ports.erp import Entity
from connectors.erp.twin.documents import Chain, Doc
from connectors.erp.twin.plant import Event
from connectors.erp.twin.schema import EXTRA_COLUMNS, PRAGMAS, ROOTED

Row = tuple[Any, ...]
_COLUMNS = ("erp_id", "company", "updated_at", "rev", "root")


def _upsert(entity: Entity) -> str:
    columns = (*_COLUMNS, *EXTRA_COLUMNS.get(entity, ()), "body", "truth")
    marks = ", ".join("?" * len(columns))
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns if name != "erp_id")
    return (
        f"INSERT INTO {entity.value} ({', '.join(columns)}) VALUES ({marks}) "  # noqa: S608
        f"ON CONFLICT (erp_id) DO UPDATE SET {changed}"
    )


UPSERT = {entity: _upsert(entity) for entity in Entity}
_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def row_of(doc: Doc, root: str) -> Row:
    """A document as its table keeps it."""
    extra: Row = ()
    if doc.entity is Entity.SALES_ORDER:
        body = doc.body
        extra = (body["reference"] or None, body["customer"], body["customer_po"], body["status"])
    return (doc.erp_id, doc.company, doc.updated_at, doc.rev, root, *extra, _dump(doc.body),
            _dump(doc.truth))  # fmt: skip


def connect(path: Path | str) -> sqlite3.Connection:
    """A connection that several threads may use under one lock."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in PRAGMAS:
        connection.execute(pragma)
    return connection


class Store:
    """See the module. Every method that reads or writes wants the lock of ``transaction``."""

    def __init__(self, path: Path | str) -> None:
        self.db = connect(path)
        self.lock = RLock()

    def close(self) -> None:
        """Let go of the file."""
        with self.lock:
            self.db.close()

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[sqlite3.Connection]:
        """One writer at a time; all or nothing, and nothing at all unless it is to be kept."""
        with self.lock:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT" if keep else "ROLLBACK")

    def foreign_changes(self) -> int:
        """A number that changes when another connection wrote to the file."""
        found: int = self.db.execute("PRAGMA data_version").fetchone()[0]
        return found

    def setting(self, name: str, *, default: Any = None) -> Any:
        """A stored setting; without a ``default``, KeyError if it is missing."""
        row = self.db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        if row is None:
            if default is None:
                raise KeyError(name)
            return default
        return json.loads(row[0])

    def put_setting(self, name: str, value: Any) -> None:
        """Store a setting."""
        self.db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, _dump(value)))

    def docs(self, entity: Entity, root: str | None = None) -> Iterator[Doc]:
        """Documents of a kind, of one chain if ``root`` is given, in the order of their ids."""
        where, args = ("", ()) if root is None else ("WHERE root = ? ", (root,))
        query = (
            "SELECT erp_id, company, updated_at, rev, body, truth "  # noqa: S608
            f"FROM {entity.value} {where}ORDER BY rowid"
        )
        for erp_id, company, updated_at, rev, body, truth in self.db.execute(query, args):
            yield Doc(entity, erp_id, company, json.loads(body), json.loads(truth), rev,
                      updated_at, dirty=False)  # fmt: skip

    def keys(self, entity: Entity, after: str, limit: int) -> list[tuple[str, int]]:
        """Ids and revisions behind an id, in the order of ids."""
        query = (
            f"SELECT erp_id, rev FROM {entity.value} "  # noqa: S608 - an entity's own name
            "WHERE erp_id > ? ORDER BY erp_id LIMIT ?"
        )
        return self.db.execute(query, (after, limit)).fetchall()

    def chain(self, root: str) -> Chain | None:
        """All documents of an order; None if it does not exist."""
        chain = Chain(root)
        for entity in ROOTED:
            for doc in self.docs(entity, root):
                chain.add(doc)
        return chain if any(True for _ in chain.docs()) else None

    def save(self, docs: Iterable[tuple[Doc, str]]) -> None:
        """Write the documents (with their roots) that changed."""
        for doc, root in docs:
            if doc.dirty:
                self.db.execute(UPSERT[doc.entity], row_of(doc, root))
                doc.dirty = False

    def due(self, until: str) -> list[Event]:
        """Events that are due, in their order."""
        return list(
            self.db.execute(
                "SELECT due_at, id, root, kind, ref FROM event WHERE due_at <= ? "
                "ORDER BY due_at, id",
                (until,),
            )
        )

    def next_due(self) -> str | None:
        """When the next event is due."""
        found: str | None = self.db.execute("SELECT min(due_at) FROM event").fetchone()[0]
        return found

    def add_events(self, events: Iterable[Event]) -> None:
        """Keep what will happen."""
        self.db.executemany(
            "INSERT INTO event (due_at, id, root, kind, ref) VALUES (?, ?, ?, ?, ?)", events
        )

    def drop_events(self, until: str) -> None:
        """Forget what has happened."""
        self.db.execute("DELETE FROM event WHERE due_at <= ?", (until,))
