"""Keeps the catalogues of zh_Hant and zh_Hans in step with the sentences of the product.

``python -m b2bcrm.web.catalogue [table.tsv ...]`` extracts every sentence, adds translations
from tables of three columns (English, zh-Hant, zh-Hans; plurals as ``one|many``), drops what is
no longer said, and compiles. Not here: rendering, which is ``kernel.words``.
"""

from __future__ import annotations

import configparser
import datetime as dt
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from b2bcrm.kernel.words import LOCALES, TRANSLATIONS_DIR

ROOT = TRANSLATIONS_DIR.parent.parent
PACKAGES = ("b2bcrm", "connectors")
KEYWORDS = {**DEFAULT_KEYWORDS, "Message": None, "lazy_gettext": None}
TRANSLATED = tuple(locale for locale in LOCALES if locale != "en")
BEGUN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
HEADER = "# Sentences of the order-centric B2B CRM. Made by b2bcrm/web/catalogue.py."
COLUMNS = 1 + len(TRANSLATED)
PLACE = re.compile(r"%\((\w+)\)([sd])|%%")

Sentence = str | tuple[str, str]
Table = dict[Sentence, tuple[str, ...]]


def _methods(root: Path) -> tuple[list[tuple[str, str]], dict[str, dict[str, str]]]:
    config = configparser.ConfigParser()
    config.read(root / "babel.cfg", encoding="utf-8")
    methods, options = [], {}
    for section in config.sections():
        method, _, pattern = section.partition(":")
        methods.append((pattern.strip(), method.strip()))
        options[pattern.strip()] = dict(config[section])
    return methods, options


def sentences(root: Path = ROOT) -> Iterator[tuple[str, Sentence]]:
    """Every sentence a reader may see, with the file that says it."""
    methods, options = _methods(root)
    for package in PACKAGES:
        found = extract_from_dir(
            root / package, methods, options, keywords=KEYWORDS, strip_comment_tags=True
        )
        for name, _line, message, _comments, _context in found:
            if isinstance(message, tuple):
                yield f"{package}/{name}", (message[0], message[1])
            elif message:
                yield f"{package}/{name}", message


def places(text: str) -> list[str]:
    """The places of a sentence that values fill, and its doubled percent signs, in order."""
    return sorted(found[0] for found in PLACE.finditer(text))


def read_table(path: Path) -> Table:
    """A table of translations; raises ValueError with the line that is not three columns."""
    table: Table = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) != COLUMNS:
            raise ValueError(f"{path.name}, line {number}: {len(cells)} columns")
        one, _, many = cells[0].partition("|")
        table[(one, many) if many else cells[0]] = tuple(cells[1:])
    return table


def po_path(locale: str) -> Path:
    """The catalogue's source file."""
    return TRANSLATIONS_DIR / locale / "LC_MESSAGES" / "messages.po"


def read_catalogue(locale: str) -> Catalog:
    """The stored catalogue; an empty one if there is none yet."""
    path = po_path(locale)
    if not path.exists():
        return Catalog(locale=locale)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def merge(tables: Iterable[Table], root: Path = ROOT) -> dict[str, list[Sentence]]:
    """Write the catalogues anew; the sentences that still lack a translation, per locale.

    A table's translation replaces the stored one; of two tables the first wins.
    """
    known: Table = {}
    for table in tables:
        known = {**table, **known}
    said = sorted({sentence for _file, sentence in sentences(root)}, key=str)
    missing: dict[str, list[Sentence]] = {}
    for column, locale in enumerate(TRANSLATED):
        old = read_catalogue(locale)
        new = Catalog(
            locale=locale,
            project="b2bcrm",
            version="1",
            header_comment=HEADER,
            creation_date=BEGUN,
            revision_date=BEGUN,
            last_translator="b2bcrm",
            language_team="b2bcrm",
            msgid_bugs_address="",
            fuzzy=False,
        )
        missing[locale] = []
        for sentence in said:
            text = known[sentence][column] if sentence in known else _stored(old, sentence)
            if not text:
                missing[locale].append(sentence)
            new.add(sentence, (text,) if isinstance(sentence, tuple) else text)
        path = po_path(locale)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, new, width=0, no_location=True, sort_output=True)
    return missing


def _stored(catalogue: Catalog, sentence: Sentence) -> str:
    found = catalogue.get(sentence[0] if isinstance(sentence, tuple) else sentence)
    if found is None or found.fuzzy:
        return ""
    return found.string[0] if isinstance(found.string, tuple) else str(found.string)


def compile_all() -> None:
    """Make the .mo files that the product reads."""
    for locale in TRANSLATED:
        with po_path(locale).with_suffix(".mo").open("wb") as file:
            write_mo(file, read_catalogue(locale))


@click.command()
@click.argument("tables", nargs=-1, type=click.Path(exists=True, path_type=Path))
def main(tables: tuple[Path, ...]) -> None:
    """Extract, merge the TABLES, compile; list what still lacks a translation."""
    missing = merge([read_table(path) for path in tables])
    compile_all()
    for locale, lacking in missing.items():
        click.echo(f"{locale}: {len(lacking)} missing")
    for sentence in missing[TRANSLATED[0]]:
        click.echo("|".join(sentence) if isinstance(sentence, tuple) else sentence)


if __name__ == "__main__":
    main()
