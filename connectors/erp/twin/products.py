"""The catalogue of Formosa Precision Drives: five families, three levels, about 300 parts.

Finished goods are made of made components, those of purchased blanks. Pure: the same size gives
the same catalogue, no chance is used here.
"""

# ruff: noqa: E501 - the catalogue is read as rows of a table

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from connectors.erp.twin.parts import SUZHOU, Part, Step, Use

D = Decimal
Names = tuple[str, str, str]

# Net prices of the design's quote and order, as list price for one piece.
_EURO = {
    "PG-115-10-S2": D("644.21"), "SW-25-100-U": D("1208.42"), "BS-R40-20-C5-1480": D("2036.84"),
    "LG-35HA-2-1200": D("890.53"), "KIT-SW25-SEAL": D("18.11"), "PG-142-05-S1": D("758.40"),
    "BS-R32-10-C3-0960": D("617.50"), "SW-17-080-U": D("447.00"), "LG-25HA-2-0800": D("282.70"),
}  # fmt: skip
_RATIOS = (("03", "S1"), ("05", "S1"), ("07", "S1"), ("10", "S1"), ("10", "S2"), ("25", "S2"),
           ("50", "S2"))  # fmt: skip
_PG = {"060": D(150), "090": D(240), "115": D(420), "142": D(640), "180": D(1080)}
_SW = {"14": D(330), "17": D(400), "20": D(560), "25": D(860), "32": D(1240), "40": D(1780)}
_BS = {"16": D(180), "20": D(240), "25": D(320), "32": D(450), "40": D(720), "50": D(980)}
_BS_KINDS = (("05", "C5", 480), ("10", "C3", 960), ("10", "C5", 1260), ("10", "C3", 1260),
             ("20", "C5", 1480), ("12", "C3", 1850))  # fmt: skip
_LG = {"15": D(95), "20": D(130), "25": D(180), "30": D(260), "35": D(360), "45": D(520)}
_LG_KINDS = (("HA", 640), ("HA", 800), ("HA", 1200), ("HC", 1200), ("HA", 1640))
_RT = {"170": D(2900), "250": D(5200), "320": D(7400), "400": D(9800)}
_RT_KINDS = (("HR", "high ratio", "高減速比", "高减速比"), ("ST", "standard", "標準", "标准"),
             ("DD", "direct drive", "直驅", "直驱"))  # fmt: skip


# Standard cost of what is sold, TWD for one EUR of list price (36.10): margins of 20 to 45 %.
_COST = {
    "PG": D(24), "SW": D("23.5"), "BS": D("25.5"), "LG": D(24), "RT": D("26.5"), "KIT": D(20),
    "SRV": D(23),
}  # fmt: skip


def _steps(site: str, *rows: tuple[str, str, str, str]) -> list[Step]:
    return [
        Step(name, SUZHOU[center] if site == "SZ1" else center, D(setup), D(unit))
        for name, center, setup, unit in rows
    ]


def _made(no: str, family: str, names: Names, site: str, **rest: Any) -> Part:
    return Part(no, family, "make", names, site=site, spec="", **rest)


def _bought(no: str, names: Names, supplier: str, lead: int, cost: object, **rest: Any) -> Part:
    values: dict[str, Any] = {"site": "TC1", "spec": "", "family": "RAW", "lot": 200} | rest
    return Part(
        no, kind="buy", names=names, supplier=supplier, lead=lead, cost=D(str(cost)), **values
    )


def _gearboxes(sizes: tuple[str, ...], *, full: bool) -> Iterator[Part]:
    for size in sizes:
        site = "SZ1" if size in {"060", "090"} else "TC1"
        steel = "V110" if site == "SZ1" else "V103"
        price, n = _PG[size], int(size)
        weight = D(n * n) / D(3000)
        yield _bought(f"HB-PG{size}", (f"Housing casting PG-{size}", f"PG-{size} 外殼鑄件",
            f"PG-{size} 壳体铸件"), "V104", 9, price * 2, site=site)  # fmt: skip
        yield _bought(f"GB-PG{size}", (f"Gear blank PG-{size}", f"PG-{size} 齒輪胚料",
            f"PG-{size} 齿轮毛坯"), steel, 8, price / 2, site=site, lot=400)  # fmt: skip
        yield _bought(f"SEAL-PG{size}", (f"Radial seal PG-{size}", f"PG-{size} 徑向油封",
            f"PG-{size} 径向油封"), "V106", 15, 60 + n, site=site, stocked=True)  # fmt: skip
        yield _made(f"HS-PG{size}", "COMP", (f"Housing PG-{size}", f"PG-{size} 外殼",
            f"PG-{size} 壳体"), site, lot=60, cost=price * 4, uses=[Use(f"HB-PG{size}", D(1))],
            steps=_steps(site, ("Turning", "T-1", "1.5", "0.25"), ("Boring and milling", "T-2",
            "1.0", "0.20"), ("Bore grinding", "G-1", "1.0", "0.15")))  # fmt: skip
        for code, en, hant, hans, stocked in (
            ("PC", "Planet carrier", "行星架", "行星架", True),
            ("PL", "Planet gear set", "行星齒輪組", "行星齿轮组", True),
            ("SH", "Sun gear shaft", "太陽齒輪軸", "太阳齿轮轴", False),
        ):
            yield _made(f"{code}-PG{size}", "COMP", (f"{en} PG-{size}", f"PG-{size} {hant}",
                f"PG-{size} {hans}"), site, lot=80, cost=price * 3, stocked=stocked,
                uses=[Use(f"GB-PG{size}", D(3 if code == "PL" else 1), D(2))],
                steps=_steps(site, ("Sawing", "S-1", "0.5", "0.03"), ("Hobbing", "T-2", "1.5",
                "0.20"), ("Case hardening", "H-1", "4.0", "0.05"), ("Gear grinding", "G-3",
                "1.5", "0.20")))  # fmt: skip
        for i, s in _RATIOS if full else _RATIOS[1::3]:
            two = D("1.35") if s == "S2" else D(1)
            no = f"PG-{size}-{i}-{s}"
            yield _made(no, "PG", (f"Planetary gearbox {n} mm, i = {int(i)}",
                f"行星減速機 {n} mm，減速比 {int(i)}", f"行星减速机 {n} mm，减速比 {int(i)}"), site,
                lot=40, cost=price * 18 * two, weight=(weight * two).quantize(D("0.01")),
                sellable=True, stocked=i == "05", euro=_EURO.get(no, price * D("1.12") * two),
                uses=[Use(f"HS-PG{size}", D(1)), Use(f"PC-PG{size}", D(2 if s == "S2" else 1)),
                Use(f"PL-PG{size}", D(2 if s == "S2" else 1)), Use(f"SH-PG{size}", D(1)),
                Use(f"SEAL-PG{size}", D(2)), Use("GRS-EP2", D("0.15"))],
                steps=_steps(site, ("Assembly", "A-1", "1.0", "0.75"), ("Run-in and final test",
                "Q-1", "0.5", "0.40"), ("Packing", "P-1", "0.2", "0.08")))  # fmt: skip
        yield _bought(f"KIT-PG{size}-SEAL", (f"Seal and grease kit for PG-{size}",
            f"PG-{size} 密封與油脂包", f"PG-{size} 密封与油脂包"), "V106", 15, price / 2,
            family="KIT", sellable=True, stocked=True, euro=price / 20, site=site)  # fmt: skip


def _strain_waves(sizes: tuple[str, ...], *, full: bool) -> Iterator[Part]:
    for s in sizes:
        price = _SW[s]
        rows = (("RB", "Ring blank", "環胚", "环坯", "V101", 9, D(2)),
                ("RC", "Spline ring forging", "剛輪鍛件", "刚轮锻件", "V103", 8, D(2)))  # fmt: skip
        for code, en, hant, hans, supplier, lead, factor in rows:
            yield _bought(f"{code}-{s}", (f"{en} {code}-{s} 42CrMo4", f"{hant} {code}-{s}",
                f"{hans} {code}-{s}"), supplier, lead, price * factor)  # fmt: skip
        yield _bought(f"WG-{s}", (f"Wave bearing WG-{s}", f"波產生器軸承 WG-{s}",
            f"波发生器轴承 WG-{s}"), "V102", 10, price * 5)  # fmt: skip
        yield _bought(f"XR-{s}", (f"Cross-roller bearing XR-{s}", f"交叉滾子軸承 XR-{s}",
            f"交叉滚子轴承 XR-{s}"), "V102", 20, price * 4, stocked=True)  # fmt: skip
        for code, blank, en, hant, hans, stocked in (
            ("FS", "RB", "Flexspline", "柔輪", "柔轮", False),
            ("CS", "RC", "Circular spline", "剛輪", "刚轮", True),
        ):
            yield _made(f"{code}-{s}", "COMP", (f"{en} {code}-{s}", f"{hant} {code}-{s}",
                f"{hans} {code}-{s}"), "TC1", lot=120, cost=price * 6, stocked=stocked,
                uses=[Use(f"{blank}-{s}", D(1), D(0))],
                steps=_steps("TC1", ("Turning", "T-1", "1.0", "0.30"), ("Gear cutting", "T-2",
                "1.5", "0.30"), ("Heat treatment", "H-1", "6.0", "0.10"), ("Profile grinding",
                "G-3", "1.5", "0.30")))  # fmt: skip
        for ratio in ("050", "080", "100", "120") if full else ("080", "100"):
            no = f"SW-{s}-{ratio}-U"
            yield _made(no, "SW", (f"Strain-wave reducer {s}, i = {int(ratio)}",
                f"諧波減速機 {s}，減速比 {int(ratio)}", f"谐波减速机 {s}，减速比 {int(ratio)}"), "TC1",
                lot=40, cost=price * 22, weight=D(int(s)) / D(10), sellable=True,
                euro=_EURO.get(no, price * D("1.08")), uses=[Use(f"FS-{s}", D(1)),
                Use(f"CS-{s}", D(1)), Use(f"WG-{s}", D(1)), Use(f"XR-{s}", D(1)),
                Use("GRS-SW4", D("0.05"))], steps=_steps("TC1", ("Assembly", "A-2", "1.0",
                "0.60"), ("Run-in", "Q-1", "0.5", "0.55"), ("Packing", "P-1", "0.2", "0.06")))  # fmt: skip
        yield _bought(f"KIT-SW{s}-SEAL", (f"Seal and grease kit for SW-{s}",
            f"SW-{s} 密封與油脂包", f"SW-{s} 密封与油脂包"), "V106", 15, price / 2, family="KIT",
            sellable=True, stocked=True, euro=_EURO.get(f"KIT-SW{s}-SEAL", price / 50))  # fmt: skip


def _screws(sizes: tuple[str, ...], *, full: bool) -> Iterator[Part]:
    for d in sizes:
        price = _BS[d]
        yield _bought(f"SB-R{d}", (f"Screw bar Ø{d} 50CrMo4", f"螺桿棒料 Ø{d}", f"丝杠棒料 Ø{d}"),
            "V101", 8, price, lot=120)  # fmt: skip
        yield _bought(f"NB-R{d}", (f"Nut blank Ø{d}", f"螺帽胚料 Ø{d}", f"螺母毛坯 Ø{d}"), "V103",
            8, price / 2, lot=120)  # fmt: skip
        yield _bought(f"BALL-{d}", (f"Ball set for Ø{d}", f"鋼珠組 Ø{d}", f"钢球组 Ø{d}"), "V105", 8,
            price / 5, stocked=True, lot=400)  # fmt: skip
        yield _made(f"SC-R{d}", "COMP", (f"Screw shaft Ø{d}", f"螺桿軸 Ø{d}", f"丝杠轴 Ø{d}"), "TC1",
            lot=40, cost=price * 8, uses=[Use(f"SB-R{d}", D(1))], steps=_steps("TC1",
            ("Sawing", "S-1", "0.5", "0.10"), ("Turning", "T-1", "1.5", "0.50"), ("Induction hardening",
            "H-1", "2.0", "0.30")))  # fmt: skip
        yield _made(f"NT-R{d}", "COMP", (f"Ball nut Ø{d}", f"滾珠螺帽 Ø{d}", f"滚珠螺母 Ø{d}"), "TC1",
            lot=80, cost=price * 5, stocked=True, uses=[Use(f"NB-R{d}", D(1), D(1))],
            steps=_steps("TC1", ("Turning", "T-1", "1.0", "0.30"), ("Case hardening", "H-1",
            "4.0", "0.10"), ("Nut grinding", "G-1", "1.5", "0.35")))  # fmt: skip
        for lead, grade, length in _BS_KINDS if full else _BS_KINDS[1::3]:
            no = f"BS-R{d}-{lead}-{grade}-{length:04d}"
            fine = D("1.25") if grade == "C3" else D(1)
            yield _made(no, "BS", (f"Ball screw Ø{d} × {int(lead)}, {grade}, {length} mm",
                f"滾珠螺桿 Ø{d} × {int(lead)}，{grade}，{length} mm",
                f"滚珠丝杠 Ø{d} × {int(lead)}，{grade}，{length} mm"), "TC1", lot=24,
                cost=price * 24 * fine, weight=D(int(d) ** 2 * length) / D(160000), sellable=True,
                euro=_EURO.get(no, price * fine * (1 + D(length) / 2000)), uses=[
                Use(f"SC-R{d}", D(1)), Use(f"NT-R{d}", D(1)), Use(f"BALL-{d}", D(1)),
                Use("GRS-LG2", D("0.10"))], steps=_steps("TC1", ("Thread grinding", "G-2", "2.0",
                "1.60"), ("Assembly and preload", "A-1", "0.5", "0.50"), ("Lead measurement",
                "Q-1", "0.5", "0.40"), ("Packing", "P-1", "0.2", "0.10")))  # fmt: skip


def _guides(sizes: tuple[str, ...], *, full: bool) -> Iterator[Part]:
    for s in sizes:
        site, price = ("SZ1" if s in {"15", "20"} else "TC1"), _LG[s]
        for code, en, hant, hans in (("RS", "Rail steel", "滑軌型鋼", "导轨型钢"),
                                     ("BB", "Block blank", "滑塊胚料", "滑块毛坯")):  # fmt: skip
            yield _bought(f"{code}-{s}", (f"{en} {s}", f"{hant} {s}", f"{hans} {s}"),
                "V109" if site == "SZ1" else "V101", 8, price, site=site)  # fmt: skip
        yield _bought(f"CAGE-{s}", (f"Ball cage {s}", f"鋼珠保持器 {s}", f"钢球保持架 {s}"), "V105", 8,
            price / 4, site=site, stocked=True, lot=400)  # fmt: skip
        for code, blank, en, hant, hans in (("RL", "RS", "Rail", "滑軌", "导轨"),
                                            ("BK", "BB", "Block", "滑塊", "滑块")):  # fmt: skip
            yield _made(f"{code}-{s}", "COMP", (f"{en} {s}", f"{hant} {s}", f"{hans} {s}"), site,
                lot=120, cost=price * 4, stocked=code == "BK", uses=[Use(f"{blank}-{s}", D(1))],
                steps=_steps(site, ("Straightening and sawing", "S-1", "0.5", "0.08"),
                ("Induction hardening", "H-1", "2.0", "0.10"), ("Profile grinding", "G-3", "1.5",
                "0.25")))  # fmt: skip
        for kind, length in _LG_KINDS if full else _LG_KINDS[1:3]:
            no = f"LG-{s}{kind}-2-{length:04d}"
            yield _made(no, "LG", (f"Linear guide {s}, 2 blocks, {length} mm",
                f"線性滑軌 {s}，2 滑塊，{length} mm", f"直线导轨 {s}，2 滑块，{length} mm"), site, lot=60,
                cost=price * 20, weight=D(int(s) * length) / D(5000), sellable=True,
                stocked=length == 800, euro=_EURO.get(no, price * (1 + D(length) / 1500)),  # noqa: PLR2004
                uses=[Use(f"RL-{s}", D(1)), Use(f"BK-{s}", D(2)), Use(f"CAGE-{s}", D(2)),
                Use("GRS-LG2", D("0.05"))], steps=_steps(site, ("Line assembly", "L-4", "0.5",
                "0.50"), ("Running parallelism test", "Q-1", "0.3", "0.25"), ("Packing", "P-1",
                "0.2", "0.06")))  # fmt: skip


def _tables(sizes: tuple[str, ...], *, full: bool) -> Iterator[Part]:
    for s in sizes:
        price = _RT[s]
        yield _bought(f"CAST-RT{s}", (f"Table casting RT-{s}", f"RT-{s} 轉盤鑄件", f"RT-{s} 转盘铸件"),
            "V104", 11, price * 3, lot=20)  # fmt: skip
        yield _bought(f"MTR-RT{s}", (f"Torque motor RT-{s}", f"RT-{s} 力矩馬達", f"RT-{s} 力矩电机"),
            "V111", 14, price * 8, lot=10)  # fmt: skip
        yield _bought(f"ENC-RT{s}", (f"Ring encoder RT-{s}", f"RT-{s} 環形編碼器",
            f"RT-{s} 环形编码器"), "V112", 20, price * 3, lot=20, stocked=True)  # fmt: skip
        yield _made(f"TB-RT{s}", "COMP", (f"Table body RT-{s}", f"RT-{s} 轉盤本體", f"RT-{s} 转盘本体"),
            "TC1", lot=12, cost=price * 7, uses=[Use(f"CAST-RT{s}", D(1))], steps=_steps("TC1",
            ("Milling", "T-2", "2.0", "1.50"), ("Stress relief", "H-1", "8.0", "0.20"),
            ("Face grinding", "G-1", "1.5", "1.00")))  # fmt: skip
        for code, en, hant, hans in _RT_KINDS if full else _RT_KINDS[:1]:
            yield _made(f"RT-{s}-{code}", "RT", (f"Rotary table RT-{s}, {en}",
                f"旋轉工作台 RT-{s}，{hant}", f"回转工作台 RT-{s}，{hans}"), "TC1", lot=6,
                cost=price * 23, weight=D(int(s) ** 2) / D(800), sellable=True,
                euro=price * (D("1.2") if code == "DD" else D(1)), uses=[Use(f"TB-RT{s}", D(1)),
                Use(f"MTR-RT{s}", D(1)), Use(f"ENC-RT{s}", D(1)), Use("BRG-7210-P4", D(2)),
                Use("BRG-7210-P2", D(2), stands_in_for="BRG-7210-P4"), *_seals(s)],
                steps=_steps("TC1", ("Assembly", "A-2", "2.0", "3.00"), ("Geometry test", "Q-1",
                "1.0", "2.00"), ("Packing", "P-1", "0.5", "0.50")))  # fmt: skip


def _seals(size: str) -> list[Use]:
    """Of rotary tables: one size gets another material from the engineering change on."""
    if size != "250":
        return [Use("SEAL-52-72", D(2))]
    return [Use("SEAL-52-72", D(2), when="before"), Use("SEAL-52-72-FKM", D(2), when="after")]


def _general(*, full: bool) -> Iterator[Part]:
    for no, names, supplier, cost, uom in (
        ("GRS-EP2", ("Gear grease EP2", "齒輪油脂 EP2", "齿轮润滑脂 EP2"), "V107", 300, "KG"),
        ("GRS-SW4", ("Strain-wave grease SW4", "諧波油脂 SW4", "谐波润滑脂 SW4"), "V107", 900, "KG"),
        ("GRS-LG2", ("Guide grease LG2", "滑軌油脂 LG2", "导轨润滑脂 LG2"), "V107", 350, "KG"),
        ("BRG-7210-P4", ("Angular contact bearing 7210 P4", "斜角滾珠軸承 7210 P4",
         "角接触球轴承 7210 P4"), "V102", 1900, "PCS"),
        ("SEAL-52-72", ("Radial seal 52 × 72", "徑向油封 52 × 72", "径向油封 52 × 72"), "V106", 120,
         "PCS"),
        ("SEAL-52-72-FKM", ("Radial seal 52 × 72, FKM", "徑向油封 52 × 72，FKM",
         "径向油封 52 × 72，FKM"), "V106", 210, "PCS"),
    ):  # fmt: skip
        yield _bought(no, names, supplier, 12, cost, uom=uom, stocked=True, lot=100)
    yield _bought("BRG-7210-P2", ("Angular contact bearing 7210 P2", "斜角滾珠軸承 7210 P2",
        "角接触球轴承 7210 P2"), "V102", 12, 3400, stocked=True, lot=12)  # fmt: skip
    for size, bore in ((25, 12), (32, 14), (40, 19), (55, 24), (66, 28)) if full else ((40, 19),):
        yield _bought(f"CP-{size}-{bore}", (f"Bellows coupling {size}, bore {bore}",
            f"波紋管聯軸器 {size}，孔徑 {bore}", f"波纹管联轴器 {size}，孔径 {bore}"), "V114", 12,
            size * 40, family="KIT", sellable=True, stocked=True, euro=D(size) * 2, lot=100)  # fmt: skip
    for no, names, euro in (
        ("SRV-COMM-01", ("Commissioning on site, 1 day", "現場試車，1 天", "现场调试，1 天"), 1600),
        (
            "SRV-COMM-02",
            ("Commissioning on site, 2 days", "現場試車，2 天", "现场调试，2 天"),
            3050,
        ),
        ("SRV-TRAIN-01", ("Maintenance training, 1 day", "維護訓練，1 天", "维护培训，1 天"), 1400),
    ):
        yield Part(no, "SRV", "service", names, "", "TC1", uom="DAY", cost=D(euro) * 23,
                   sellable=True, euro=D(euro), lead=10)  # fmt: skip


def catalogue(*, full: bool) -> dict[str, Part]:
    """All parts by number; ``full`` False gives a fifth of them, every family represented."""
    parts: list[Part] = [*_general(full=full)]

    def pick(sizes: Iterable[str], few: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sizes) if full else few

    parts += _gearboxes(pick(_PG, ("115", "142")), full=full)
    parts += _strain_waves(pick(_SW, ("17", "25")), full=full)
    parts += _screws(pick(_BS, ("32", "40")), full=full)
    parts += _guides(pick(_LG, ("25", "35")), full=full)
    parts += _tables(pick(_RT, ("250",)), full=full)
    for part in parts:
        if part.sellable:
            part.cost = part.euro * _COST[part.family]
    return {part.no: part for part in parts}
