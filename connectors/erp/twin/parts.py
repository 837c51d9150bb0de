"""What a part, a work centre and a supplier are, as the twin's engine reads them.

The figures themselves stand in ``products`` and ``people``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True)
class Center:
    """A machine group on a ``station`` of the virtual factory.

    ``hours`` per working day of one machine: an order runs on one. The group has ``machines``.
    """

    code: str
    name: str
    site: str
    station: str
    hours: Decimal
    machines: int


@dataclass(frozen=True)
class Step:
    """One routing operation: fixed plus per-piece hours."""

    name: str
    center: str
    setup: Decimal
    unit: Decimal


@dataclass(frozen=True)
class Use:
    """``per`` of ``part`` in one parent, ``scrap`` percent on top.

    ``when``: only before or after the engineering change; the plant knows its day. A use may stand
    in for a part, which this plant's own planning never lets happen.
    """

    part: str
    per: Decimal
    scrap: Decimal = Decimal(0)
    when: Literal["always", "before", "after"] = "always"
    stands_in_for: str = ""


@dataclass(eq=False)
class Part:
    """An item. ``site`` is where it is made and kept, ``lead`` its working days to get anew.

    For a made part ``lead`` counts everything from the purchase of its blanks on, so that a
    date promised from it can be kept. ``stocked`` parts are replenished by ``lot`` when free and
    coming pieces fall under ``level``.
    """

    no: str
    family: str
    kind: str  # make, buy, service
    names: tuple[str, str, str]  # en, zh-Hant, zh-Hans
    spec: str
    site: str
    uom: str = "PCS"
    lead: int = 0
    lot: int = 1
    cost: Decimal = Decimal(0)  # TWD
    weight: Decimal = Decimal(0)
    sellable: bool = False
    stocked: bool = False
    level: int = 0
    euro: Decimal = Decimal(0)  # list price for one, EUR
    supplier: str = ""
    uses: list[Use] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Supplier:
    """``late`` is the share of late lines, ``days`` their typical delay in working days.

    From ``worse_from`` (months of history) on both are multiplied.
    """

    code: str
    name: str
    country: str
    late: float
    days: float
    worse_from: int = 0


CENTERS = (
    Center("S-1", "Sawing and preparation", "TC1", "prep", Decimal(16), 2),
    Center("T-1", "CNC turning", "TC1", "turning", Decimal(20), 5),
    Center("T-2", "Gear hobbing and milling", "TC1", "turning", Decimal(20), 7),
    Center("H-1", "Vacuum heat treatment", "TC1", "heat", Decimal(22), 6),
    Center("G-1", "Cylindrical grinding", "TC1", "grinding", Decimal(16), 3),
    Center("G-2", "Thread grinding", "TC1", "grinding", Decimal(20), 6),
    Center("G-3", "Gear and profile grinding", "TC1", "grinding", Decimal(16), 11),
    Center("A-1", "Gearbox assembly", "TC1", "assembly", Decimal(16), 6),
    Center("A-2", "Strain-wave and table assembly", "TC1", "assembly", Decimal(16), 7),
    Center("L-4", "Linear guide line", "TC1", "assembly", Decimal(16), 3),
    Center("Q-1", "Test bench and final inspection", "TC1", "test", Decimal(16), 11),
    Center("P-1", "Packing", "TC1", "packing", Decimal(8), 5),
    Center("M-11", "Suzhou machining", "SZ1", "turning", Decimal(20), 6),
    Center("G-11", "Suzhou gear grinding", "SZ1", "grinding", Decimal(20), 4),
    Center("A-11", "Suzhou assembly and test", "SZ1", "assembly", Decimal(16), 6),
    Center("P-11", "Suzhou packing", "SZ1", "packing", Decimal(8), 2),
)
SUZHOU = {
    "S-1": "M-11", "T-1": "M-11", "T-2": "M-11", "H-1": "M-11", "G-1": "G-11", "G-2": "G-11",
    "G-3": "G-11", "A-1": "A-11", "A-2": "A-11", "L-4": "A-11", "Q-1": "A-11", "P-1": "P-11",
}  # fmt: skip
CENTER = {center.code: center for center in CENTERS}
SITE_CALENDAR = {"TC1": "TW", "SZ1": "CN"}
SITE_COMPANY = {"TC1": "FPD-TW", "SZ1": "FPD-CN"}

SUPPLIERS = (
    Supplier("V101", "Tai-Hung Special Steel", "TW", 0.016, 3.0, worse_from=13),
    Supplier("V102", "Nagano Bearing", "JP", 0.005, 2.0),
    Supplier("V103", "Kao-Feng Forging", "TW", 0.019, 3.0),
    Supplier("V104", "Chi-Shun Casting", "TW", 0.024, 4.0),
    Supplier("V105", "Changhua Precision Balls", "TW", 0.010, 2.0),
    Supplier("V106", "Rheinland Dichtungstechnik GmbH", "DE", 0.012, 3.0),
    Supplier("V107", "Sakai Grease Industries", "JP", 0.004, 2.0),
    Supplier("V108", "Lien-Yi Aluminium", "TW", 0.014, 3.0),
    Supplier("V109", "Jiangsu Huayu Steel", "CN", 0.024, 4.0),
    Supplier("V110", "Kunshan Jingda Forging", "CN", 0.019, 3.0),
    Supplier("V111", "Hamamatsu Motor Works", "JP", 0.010, 3.0),
    Supplier("V112", "Kessel Encoder AG", "CH", 0.012, 4.0),
    Supplier("V113", "Yung-Sheng Fasteners", "TW", 0.008, 1.5),
    Supplier("V114", "Hsin-Chu Couplings", "TW", 0.012, 2.0),
    Supplier("V115", "Wuxi Bearing Trade", "CN", 0.029, 4.0),
)
SUPPLIER = {supplier.code: supplier for supplier in SUPPLIERS}
