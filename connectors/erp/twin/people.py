"""The customers of Formosa Precision Drives and their people: 60 companies in five countries.

Eight are those of the design's pictures; the others are put together from name parts by a seed.
"""

# ruff: noqa: E501 - the companies are read as rows of a table

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

STAFF = ("Mei-Ling Lin", "Huang Chih-Wei", "Sophie Tan", "Wang Lei")
"""Sales people; planner Chen Wei-Ting and head of sales Grace Wu own no customer."""

RATES = {
    "TWD": Decimal(1),
    "EUR": Decimal("36.10"),
    "USD": Decimal("32.40"),
    "CNY": Decimal("4.47"),
    "JPY": Decimal("0.215"),
}
"""TWD for one unit of each currency."""


@dataclass(frozen=True)
class Site:
    """A ship-to: goods are taken in on ``days`` (Monday first), ``transit`` calendar days away."""

    code: str
    name: str
    street: str
    city: str
    days: str
    transit: int


@dataclass(frozen=True)
class Person:
    """A contact at the customer."""

    name: str
    role: str
    email: str
    phone: str


@dataclass(frozen=True)
class Buyer:
    """A customer. ``weight`` is its share of orders, ``pays_late`` its mean delay in days."""

    no: str
    company: str
    name: str
    short: str
    tax_id: str
    country: str
    language: str
    currency: str
    price_list: str
    terms: str
    incoterm: str
    place: str
    rank: str
    partial: bool
    hold: bool
    rep: str
    weight: float
    pays_late: float
    tastes: tuple[str, ...]
    street: str
    city: str
    sites: tuple[Site, ...]
    people: tuple[Person, ...]


# number, name, short name, country, city, street, class, takes parts, sales person, families, people
Known = tuple[str, str, str, str, str, str, str, bool, int, tuple[str, ...], tuple[str, ...]]
_KNOWN: tuple[Known, ...] = (
    ("20417", "Brandt & Kessler Maschinenbau GmbH", "Brandt & Kessler", "DE", "Augsburg",
     "Zeppelinstraße 14", "A", False, 0, ("PG", "SW", "BS", "LG", "RT"),
     ("Jonas Kessler", "Dr. Sabine Brandt", "Timo Maurer")),
    ("20463", "Northfork Packaging Systems, Inc.", "Northfork", "US", "Grand Rapids, MI",
     "2140 Monroe Avenue NW", "A", True, 0, ("PG", "BS", "SW", "LG", "RT"),
     ("Dana Whitfield", "Marcus Hale")),
    ("10455", "啟業工具機股份有限公司", "啟業工具機", "TW", "台中市", "大雅區科雅路 28 號", "A", True, 0,
     ("BS", "LG", "PG"), ("陳建宏", "張雅婷")),
    ("30477", "苏州澄衡自动化设备有限公司", "苏州澄衡", "CN", "苏州市", "工业园区星湖街 218 号", "A", True, 3,
     ("SW", "PG", "LG"), ("赵明", "钱晓燕")),
    ("10458", "大嘉數控股份有限公司", "大嘉數控", "TW", "台南市", "安南區工業三路 66 號", "C", True, 1,
     ("BS", "LG"), ("黃柏翰",)),
    ("20491", "Halvorsen Medical Devices, Inc.", "Halvorsen", "US", "Minneapolis, MN",
     "801 Washington Avenue N", "A", False, 2, ("SW", "PG", "RT"), ("Ingrid Halvorsen", "Paul Reyes")),
    ("30502", "宁波启程注塑机械有限公司", "宁波启程", "CN", "宁波市", "北仑区小港纬三路 9 号", "C", True, 3,
     ("BS", "PG"), ("孙伟",)),
    ("20469", "Lindauer Fördertechnik AG", "Lindauer", "DE", "Lindau", "Bregenzer Straße 71", "B", True,
     0, ("PG", "LG", "RT"), ("Claudia Hartmann", "Stefan Egger")),
)  # fmt: skip
_TW_NAMES = ("鼎豐", "宏碩", "立穎", "群拓", "昱銓", "東駿", "永捷", "力鋒", "瑞泰", "協易達", "華邑",
             "凱勝", "新亞徠", "百鍛")  # fmt: skip
_TW_TRADES = ("精密機械", "自動化", "工具機", "電子設備")
_CN_NAMES = ("恒锐", "博远", "天泽", "华昱", "凌云", "中科锐", "聚能", "新元", "瑞锋", "远大精", "力拓",
             "盛和", "启明")  # fmt: skip
_CN_TRADES = ("机器人", "智能装备", "数控机床", "自动化设备")
_DE_NAMES = ("Oberland Robotik", "Steinhauser Werkzeugmaschinen", "Falk & Sohn Antriebstechnik",
             "Märkische Anlagenbau", "Weserwerk Automation", "Hohenfels Pressenbau",
             "Rother Medizintechnik", "Kaltenbrunner Verpackung", "Nordhafen Kransysteme")  # fmt: skip
_US_NAMES = ("Cascade Robotics", "Blue Ridge Machine Tool", "Pioneer Semicon Equipment",
             "Lakeshore Automation", "Redwood Dynamics", "Ironbridge Motion", "Summit Labs",
             "Gulfline Packaging")  # fmt: skip
_JP_NAMES = ("三崎精機", "北陽オートメーション", "東都機械", "浜名製作所", "大磯ロボット", "川端工業",
             "若松精密", "白鷺テクノ")  # fmt: skip
_PEOPLE = {
    "TW": ("林志豪", "王淑芬", "李俊傑", "吳佩珊", "蔡宗翰", "許家瑋", "鄭雅文", "謝明哲"),
    "CN": ("李强", "王芳", "刘洋", "陈静", "杨帆", "周磊", "吴敏", "徐鹏"),
    "DE": (
        "Thomas Berger",
        "Julia Vogt",
        "Markus Lang",
        "Anke Winter",
        "Felix Roth",
        "Petra Seidel",
    ),
    "US": (
        "Karen Mitchell",
        "Brian O'Neal",
        "Luis Ortega",
        "Emily Stone",
        "Greg Lawson",
        "Tina Cho",
    ),
    "JP": ("佐藤健一", "鈴木美香", "高橋誠", "田中直樹", "渡辺陽子", "中村徹"),
}
_CITIES = {
    "TW": ("台中市", "台南市", "桃園市", "新竹市", "高雄市", "彰化市"),
    "CN": ("苏州市", "上海市", "深圳市", "宁波市", "东莞市", "合肥市"),
    "DE": ("Stuttgart", "Bremen", "Chemnitz", "Ulm", "Dortmund", "Regensburg"),
    "US": ("Portland, OR", "Cincinnati, OH", "Austin, TX", "Milwaukee, WI", "Raleigh, NC"),
    "JP": ("浜松市", "名古屋市", "大阪市", "長野市", "川崎市"),
}
_STREETS = {"TW": "工業路 {} 號", "CN": "科技路 {} 号", "DE": "Industriestraße {}",
            "US": "{} Industrial Parkway", "JP": "工業団地 {}番"}  # fmt: skip
_ROLES = ("purchasing", "management", "engineering")
# language, currency, incoterm, payment terms, transit days, phone
_LANDS = {
    "TW": ("zh_Hant", "TWD", "DAP", "NET60", 1, "+886-4-2350-"),
    "CN": ("zh_Hans", "CNY", "DAP", "NET60", 2, "+86-512-6280-"),
    "DE": ("en", "EUR", "DAP", "NET30", 3, "+49-821-550-"),
    "US": ("en", "USD", "FCA", "NET45", 6, "+1-616-555-"),
    "JP": ("en", "JPY", "CIF", "NET60", 4, "+81-53-460-"),
}
_FAMILIES = ("PG", "SW", "BS", "LG", "RT")
_WEIGHTS = {"A": 5.0, "B": 2.5, "C": 1.0}


def terms_days(terms: str) -> int:
    """Days after the invoice on which it falls due: ``NET30`` is 30."""
    return int(terms[3:])


def _buyer(rng: random.Random, known: Known, n: int, *, hold: bool = False) -> Buyer:
    no, name, short, land, city, street, rank, partial, rep, tastes, people = known
    lists = {"A": "KEY", "B": "STD", "C": "DST" if n % 3 else "STD"}
    language, currency, incoterm, terms, transit, phone = _LANDS[land]
    sites = [Site("01", short, street, city, "1111100", transit)]
    if rank == "A" or rng.random() < 0.3:  # noqa: PLR2004 - a third has a second ship-to
        days = rng.choice(("1010100", "0101000", "1111000"))
        plant = {"TW": "二廠", "CN": "二厂", "JP": "第二工場"}.get(land, "plant 2")
        second = rng.choice(_CITIES[land])
        street2 = _STREETS[land].format(rng.randrange(3, 240))
        sites.append(Site("02", f"{short} {plant}", street2, second, days, transit + 1))
    return Buyer(
        no=no, company="FPD-CN" if land == "CN" else "FPD-TW", name=name, short=short,
        tax_id=_tax_id(rng, land), country=land, language=language, currency=currency,
        price_list=lists[rank], terms=terms, incoterm=incoterm,
        place="Taichung" if incoterm == "FCA" else city, rank=rank, partial=partial, hold=hold,
        rep=STAFF[rep], weight=_WEIGHTS[rank] * rng.uniform(0.7, 1.3),
        pays_late=rng.choice((-2.0, 0.0, 1.0, 3.0, 8.0)) if rank != "C" else rng.uniform(2, 20),
        tastes=tastes, street=street, city=city, sites=tuple(sites),
        people=tuple(_person(name, i, no, phone) for i, name in enumerate(people)),
    )  # fmt: skip


def _person(name: str, i: int, customer: str, phone: str) -> Person:
    """Names in Han script get their role as mail address."""
    last = "".join(c for c in name.rsplit(maxsplit=1)[-1].lower() if c.isalpha())
    local = last if name.isascii() else _ROLES[i]
    return Person(
        name, _ROLES[i], f"{local}@customer-{customer}.example",
        f"{phone}{int(customer) % 900 + 100}{i}",
    )  # fmt: skip


def _tax_id(rng: random.Random, country: str) -> str:
    """Looks like the country's own, without a check digit: these companies do not exist."""
    digits = "".join(str(rng.randrange(10)) for _ in range(18))
    if country == "CN":
        return "91" + digits[:15] + "X"
    return {"TW": digits[:8], "DE": "DE" + digits[:9], "US": f"{digits[:2]}-{digits[2:9]}",
            "JP": "T" + digits[:13]}[country]  # fmt: skip


def customers(count: int, seed: int) -> list[Buyer]:
    """The first eight are always the same companies; one of the others is on credit hold."""
    rng = random.Random(f"{seed}/customers")
    found = [_buyer(rng, known, n) for n, known in enumerate(_KNOWN[:count])]
    pools: dict[str, list[str]] = {
        "TW": [n + rng.choice(_TW_TRADES) for n in _TW_NAMES],
        "CN": [n + rng.choice(_CN_TRADES) for n in _CN_NAMES],
        "DE": list(_DE_NAMES),
        "US": list(_US_NAMES),
        "JP": list(_JP_NAMES),
    }
    form = {"TW": "{}股份有限公司", "CN": "{}有限公司", "DE": "{} GmbH", "US": "{}, Inc.",
            "JP": "{}株式会社"}  # fmt: skip
    lands = [land for land, names in pools.items() for _ in names]
    rng.shuffle(lands)
    for n, land in enumerate(lands[: max(0, count - len(found))]):
        short = pools[land].pop(0)
        no = {"TW": 11000, "CN": 31000}.get(land, 21000) + 7 * n + rng.randrange(7)
        street = _STREETS[land].format(rng.randrange(3, 240))
        people = tuple(rng.sample(_PEOPLE[land], rng.randint(1, 3)))
        rank = rng.choices("ABC", (2, 4, 4))[0]
        rep = rng.randrange(3) if land != "CN" else 3
        tastes = tuple(rng.sample(_FAMILIES, rng.randint(2, 4)))
        known: Known = (str(no), form[land].format(short), short, land, rng.choice(_CITIES[land]), street,
                 rank, rng.random() < 0.72, rep, tastes, people)  # noqa: PLR2004  # fmt: skip
        found.append(_buyer(rng, known, n, hold=n == 3))  # noqa: PLR2004 - the fourth is blocked
    return found
