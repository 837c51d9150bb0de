"""Lots for the stock: bought or made as soon as a part falls under its reorder level."""

from __future__ import annotations

import random

from connectors.erp.twin.documents import Chain
from connectors.erp.twin.planning import Planner
from connectors.erp.twin.plant import Plant


def restock(plant: Plant) -> None:
    """Plan a lot of every part noted by ``Plant.look``; its own parts may follow."""
    while plant.wanted:
        _, part = plant.wanted.popitem()
        chain = Chain("")
        # The chain is named after the document it begins with; only the next number tells.
        kind, prefix = ("buy", "PO") if part.kind == "buy" else ("work", "WO")
        chain.root = f"{prefix}-{plant.numbers[kind] + 1}"
        plant.chains[chain.root] = chain
        planner = Planner(plant, chain, rng=random.Random(f"{plant.firm.seed}/{chain.root}"))
        planner.stock_up(part)
        plant.look(part)
