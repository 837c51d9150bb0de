"""Equal content, equal digest: whatever else the ERP stamps on a record."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random

from b2bcrm.ports.erp import Entity
from b2bcrm.sync.digests import digest, total
from b2bcrm.sync.tombstones import KINDS, gone
from tests.conftest import NOW
from tests.pulled import everything


def test_the_change_mark_and_instants_do_not_count_but_every_other_field_does(twin):
    for entity in Entity:
        record = everything(twin.gateway, entity)[0]
        same = dataclasses.replace(record, version="99", updated_at=NOW + dt.timedelta(days=1))
        assert digest(same) == digest(record), entity
        assert digest(dataclasses.replace(record, company="ELSEWHERE")) != digest(record), entity


def test_a_change_deep_inside_counts(twin):
    order = everything(twin.gateway, Entity.SALES_ORDER)[0]
    line = dataclasses.replace(order.lines[0], shipped_qty=order.lines[0].shipped_qty + 1)
    assert digest(dataclasses.replace(order, lines=(line, *order.lines[1:]))) != digest(order)


def test_mappings_count_by_content_not_by_order(twin):
    item = everything(twin.gateway, Entity.ITEM)[0]
    one = dataclasses.replace(item, ext={"a": "1", "b": "2"})
    assert digest(one) == digest(dataclasses.replace(item, ext={"b": "2", "a": "1"}))
    assert digest(one) != digest(dataclasses.replace(item, ext={"a": "2", "b": "1"}))


def test_a_total_does_not_depend_on_the_order_but_on_each_pair():
    pairs = [(str(n), str(n % 7)) for n in range(50)]
    shuffled = random.Random(3).sample(pairs, len(pairs))
    assert total(pairs) == total(shuffled)
    assert total(pairs) != total([*pairs[:-1], ("49", "x")])


def test_every_kind_of_record_has_a_tombstone_with_its_id():
    assert set(KINDS) == set(Entity)
    for entity, kind in KINDS.items():
        stone = gone(entity, "X1", "FPD-TW")
        assert isinstance(stone, kind)
        assert (stone.erp_id, stone.company, stone.deleted) == ("X1", "FPD-TW", True)
    stock = gone(Entity.STOCK, "X1", facts={"item": "A", "site": "B"})
    assert (stock.item, stock.site) == ("A", "B")
