"""A plan as bytes: its arrays, the names behind them, and what else a promise needs to know."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import Book, Names
from b2bcrm.fulfillment.planning.engine.ledger import Ledger, with_room


@dataclass(frozen=True)
class Packed:
    """A plan ready to answer. ``scales`` are those of items not counted in pieces."""

    book: Book
    names: Names
    ledger: Ledger
    scales: dict[str, int]


def pack(plan: Packed) -> bytes:
    """The plan as compressed bytes; equal plans give equal arrays."""
    tidy = with_room(plan.ledger)
    top = int(tidy.at[0])
    entries = {name: getattr(tidy, name)[:top] for name in _ENTRIES}
    told = {"horizon": plan.book.horizon, "names": asdict(plan.names), "scales": plan.scales}
    arrays = {f"book_{name}": value for name, value in plan.book._asdict().items()}
    del arrays["book_horizon"]
    arrays |= {f"ledger_{name}": value for name, value in (tidy._asdict() | entries).items()}
    arrays["told"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def readable(data: bytes) -> bool:
    """Whether ``unpack`` can read it: plans that another version packed have other arrays."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        names = set(stored.files)
    ours = {f"book_{name}" for name in Book._fields if name != "horizon"}
    return names == {"told", *ours, *(f"ledger_{name}" for name in Ledger._fields)}


def unpack(data: bytes) -> Packed:
    """The inverse of ``pack``; the arrays may be written."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
    told = json.loads(arrays.pop("told").tobytes())
    book = Book(horizon=told["horizon"], **_of(arrays, "book_"))
    ledger = Ledger(**_of(arrays, "ledger_"))
    return Packed(book, Names(**told["names"]), ledger, told["scales"])


_ENTRIES = ("entry_ref", "entry_day", "entry_need", "entry_qty")


def _of(arrays: dict[str, Any], prefix: str) -> dict[str, Any]:
    found = {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}
    return {name: np.ascontiguousarray(array) for name, array in found.items()}
