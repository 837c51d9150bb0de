"""All records straight out of a twin's file, for loading size ``large`` without SOAP.

The same records as page after page through the server would give; a test proves it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from b2bcrm.ports.erp import Entity, Record
from connectors.erp.twin.codec import record


def rows(path: Path | str) -> dict[Entity, Iterator[Record]]:
    """Per entity its records as they stand in the file, by change instant and id.

    Each iterator opens the file for itself, read-only. What fell due since the twin last lived
    is not in them: advance the twin first.
    """
    return {entity: _read(path, entity) for entity in Entity}


def _read(path: Path | str, entity: Entity) -> Iterator[Record]:
    uri = f"{Path(path).resolve().as_uri()}?mode=ro"
    query = (
        "SELECT erp_id, company, updated_at, rev, body "  # noqa: S608 - the name is an enum's
        f"FROM {entity.value} ORDER BY updated_at, erp_id"
    )
    with closing(sqlite3.connect(uri, uri=True)) as db:
        for row in db.execute(query):
            yield record(entity, row)
