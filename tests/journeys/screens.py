"""Takes pictures of the design's ten pages from a running demo.

    python -m tests.journeys.screens http://127.0.0.1:8000 FOLDER [--all]

With ``--all`` each page is taken in the dark, in both Chinese scripts and on a telephone as well.
Not a test: pictures are for people to look at. Runs beside ``./crm up``; changes nothing there
but the language and theme of the people it signs in, which it puts back.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tests.journeys.browser import DESK, PHONE, People, choose_language, chromium

SALES, SERVICE, ERP = (
    f"{name}@formosa.example" for name in ("mei-ling.lin", "hsu.jia-hao", "kao.ming-te")
)
PLANNER = "chen.wei-ting@formosa.example"
BUYER = "kessler@customer-20417.example"
STORY_PO = "4500-77812"
LANGUAGES = {"en": "English", "zh-hant": "繁體中文", "zh-hans": "简体中文"}
COLOURS, FEWEST = 256, 32
LARGEST = 250_000  # bytes


@dataclass(frozen=True)
class View:
    """One picture: whose page, where, how wide."""

    name: str
    person: str
    path: str
    phone: bool = False


def views(sales: Page, service: Page) -> list[View]:
    """The ten pages, with the numbers that this demo gave them."""
    order = _first(sales, f"/search?q={STORY_PO}", r"/orders/([^/?#]+)")
    quote = _first(sales, "/quotes?state=draft&q=Northfork", r"/quotes/([^/?#]+)$", skip="new")
    account = _first(sales, f"/orders/{order}", r"/accounts/(\d+)")
    case = _first(service, "/service", r"/service/([^/?#]+)$", skip="new")
    return [
        View("order", PLANNER, f"/orders/{order}"),
        View("quote", SALES, f"/quotes/{quote}"),
        View("fulfilment", PLANNER, "/fulfillment"),
        View("portal-order", BUYER, f"/portal/orders/{order}"),
        View("portal-order-phone", BUYER, f"/portal/orders/{order}", phone=True),
        View("account", SALES, f"/accounts/{account}"),
        View("service-list", SERVICE, "/service"),
        View("service-case", SERVICE, f"/service/{case}"),
        View("planning", SALES, "/planning"),
        View("erp-monitor", ERP, "/erp"),
    ]


def _first(page: Page, listing: str, link: str, *, skip: str = "") -> str:
    """The first number in ``main`` that a link of a list names."""
    page.goto(listing)
    for anchor in page.locator("main a").all():
        found = re.search(link, anchor.get_attribute("href") or "")
        if found and found[1] != skip:
            return found[1]
    raise SystemExit(f"{listing}: no link like {link}")


def say(text: str) -> None:
    """On the terminal."""
    sys.stdout.write(f"{text}\n")


def shrink(path: Path) -> None:
    """A palette instead of true colour, so that a picture stays small.

    Rare colours count as much as frequent ones: a small red must not become amber.
    """
    colours = COLOURS
    image = Image.open(path).convert("RGB")
    while True:
        few = image.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(path, optimize=True)
        if path.stat().st_size <= LARGEST or colours <= FEWEST:
            return
        colours //= 2


def picture(page: Page, view: View, target: Path, *, theme: str = "light") -> None:
    """The whole page, settled. ``theme`` by the page's own mark: nobody's setting changes."""
    size = PHONE if view.phone else DESK
    page.set_viewport_size(size)
    page.goto(view.path)
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    page.wait_for_load_state("networkidle")
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({**size, "height": height})  # what sticks to the edge stays there
    page.wait_for_timeout(300)
    page.screenshot(path=target, animations="disabled")
    page.set_viewport_size(DESK)
    shrink(target)


def document(page: Page, folder: Path, name: str) -> None:
    """The first page of the newest sent quote's PDF."""
    if shutil.which("pdftoppm") is None:
        say("quote document: pdftoppm is not here (apt-get install poppler-utils)")
        return
    no = _first(page, "/quotes?state=sent&q=Kessler", r"/quotes/([^/?#]+)$", skip="new")
    page.goto(f"/quotes/{no}")
    address = page.locator("main a[href$='/pdf']").first.get_attribute("href")
    with tempfile.TemporaryDirectory() as temporary:
        pdf = Path(temporary) / "quote.pdf"
        pdf.write_bytes(page.request.get(str(address)).body())
        target = folder / name
        command = ["pdftoppm", "-png", "-r", "80", "-singlefile", pdf, target]
        subprocess.run(command, check=True)
        shrink(target.with_suffix(".png"))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="dark, Chinese and telephone as well")
    parser.add_argument("--only", default="", help="names of pages, with commas between")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        people = People(browser, asked.url)
        pages = {person: people.page(person) for person in (SALES, SERVICE, ERP, PLANNER, BUYER)}
        wanted = [
            view
            for view in views(pages[SALES], pages[SERVICE])
            if not asked.only or view.name in asked.only.split(",")
        ]
        for language, name in LANGUAGES.items():
            if language != "en" and not asked.all:
                continue
            for page in pages.values():
                page.goto("/")
                choose_language(page, name)
            suffix = "" if language == "en" else f"-{language}"
            for view in wanted:
                target = asked.folder / f"{view.name}{suffix}.png"
                picture(pages[view.person], view, target)
        for page in pages.values():
            page.goto("/")
            choose_language(page, LANGUAGES["en"])
        for view in wanted if asked.all else ():
            picture(pages[view.person], view, asked.folder / f"{view.name}-dark.png", theme="dark")
        if not asked.only or "quote-document" in asked.only:
            document(pages[SALES], asked.folder, "quote-document")
        people.close()
        say("\n".join(people.errors) or f"{len(wanted)} pages are in {asked.folder}")


if __name__ == "__main__":
    main()
