"""Our own side of the demo: companies, sites, calendars, exchange rates, families, feeds."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from decimal import Decimal

from b2bcrm.catalog.models import ItemFamily
from b2bcrm.kernel.founding import add_company
from b2bcrm.kernel.organization import ExchangeRate
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.cadence import FEEDS, next_night
from b2bcrm.sync.models import ErpConnection, Feed, RunKind, RunOutcome, SyncRun, Writes
from connectors.erp.twin.company import COMPANIES, SITES
from connectors.erp.twin.people import RATES

CONNECTION = "main"
_QUARTERS = 8
_SWING = Decimal("0.03")
_FAMILIES = (
    ("PG", "Planetary gearboxes", "行星減速機", "行星减速机"),
    ("SW", "Strain-wave reducers", "諧波減速機", "谐波减速机"),
    ("BS", "Ball screws", "滾珠螺桿", "滚珠丝杠"),
    ("LG", "Linear guides", "線性滑軌", "直线导轨"),
    ("RT", "Rotary tables", "旋轉台", "转台"),
    ("KIT", "Kits and couplings", "套件與聯軸器", "套件与联轴器"),
    ("SRV", "Services", "服務", "服务"),
    ("COMP", "Components", "零組件", "零部件"),
    ("RAW", "Raw material", "原材料", "原材料"),
)


def found(work: Work, seed: int) -> None:
    """Companies with their sites, calendars, names of families, and quarterly rates in TWD."""
    sites = {site["company"]: site for site in SITES}
    for firm in COMPANIES:
        site = sites[firm["code"]]
        add_company(
            work,
            code=firm["code"],
            name=firm["name"],
            name_zh_hant=firm["name_zh_hant"],
            name_zh_hans=firm["name_zh_hans"],
            currency=firm["currency"],
            country=firm["country"],
            zone=site["zone"],
            site=site["code"],
            site_name=site["name"],
            address=firm["address"],
            phone=firm["phone"],
            email=firm["email"],
            tax_id=firm["tax_id"],
        )
    for code, name, hant, hans in _FAMILIES:
        work.session.add(ItemFamily(code=code, name=name, name_zh_hant=hant, name_zh_hans=hans))
    work.session.add_all(_rates(work.today, seed))
    work.session.flush()  # flush: the intakes read companies and rates


def _rates(today: dt.date, seed: int) -> list[ExchangeRate]:
    """One rate per quarter and currency; the present quarter's are those of the price lists."""
    rng = random.Random(f"{seed}/rates")
    first = dt.date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    found = []
    for currency, now in RATES.items():
        if currency == "TWD":
            continue
        day = first
        for n in range(_QUARTERS):
            swing = Decimal(0) if n == 0 else _SWING * Decimal(str(round(rng.uniform(-1, 1), 3)))
            rate = (now * (1 + swing)).quantize(now)
            found.append(ExchangeRate(currency=currency, valid_from=day, rate=rate))
            day = dt.date(day.year - (day.month == 1), (day.month - 4) % 12 + 1, 1)
    return found


def open_feeds(work: Work, read: Mapping[Entity, int], watermark: dt.datetime) -> None:
    """The feeds as if each had been pulled in full just now: the worker goes on with deltas."""
    work.session.add(
        ErpConnection(
            code=CONNECTION,
            writes=Writes.ON,
            notices=True,
            go_live_at=work.now,
            last_ok_at=work.tick,
        )
    )
    for entity, cadence in FEEDS.items():
        feed = Feed(
            connection_code=CONNECTION,
            entity=entity.value,
            every_s=cadence.every_s,
            limit_minutes=cadence.limit_minutes,
            guard_percent=cadence.guard_percent,
            watermark=watermark,
            loaded_at=work.tick,
            reconcile_at=next_night(work.tick, entity.value),
            data_as_of=work.now,
            last_ok_at=work.tick,
            next_at=work.tick,
            rows_total=read[entity],
        )
        work.session.add(feed)
        work.session.flush()  # flush: the run names its feed
        work.session.add(
            SyncRun(
                feed_id=feed.id,
                kind=RunKind.LOAD,
                started_at=work.tick,
                finished_at=work.tick,
                outcome=RunOutcome.COMPLETE,
                rows_read=read[entity],
                rows_changed=read[entity],
            )
        )
