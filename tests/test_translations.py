"""Every sentence a reader may see is wrapped, and translated into both Chinese scripts.

Not here: whether a translation is good; only what a machine can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from b2bcrm.web import catalogue
from b2bcrm.web.catalogue import TRANSLATED

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted(
    path
    for package in catalogue.PACKAGES
    for path in (ROOT / package).rglob("templates/**/*.*")
    if path.suffix in {".html", ".jinja", ".txt"}
)
SAID = sorted({sentence for _file, sentence in catalogue.sentences()}, key=str)

# Words that are the same in every language: formats, systems, our own abbreviations.
NAMES = {
    "ATP",
    "B2B",
    "CRM",
    "CSV",
    "DAP",
    "ERP",
    "FCA",
    "HTML",
    "ISO",
    "JSON",
    "PDF",
    "SOAP",
    "XLSX",
}
ATTRIBUTES = ("aria-label", "title", "placeholder", "alt", "label")
HAN = r"[\u4e00-\u9fff]"
ONLY_TRADITIONAL = set("訂單報價們這個還為與對時間達預計產備選項後號碼檢視頁點數據發變")
ONLY_SIMPLIFIED = set("订单报价们这个还为与对时间达预计产备选项后号码检视页点数据发变") - {"后"}


# --------------------------------------------------------------------------------- the catalogues


@pytest.mark.parametrize("locale", TRANSLATED)
def test_every_sentence_is_translated(locale):
    stored = catalogue.read_catalogue(locale)
    missing = []
    for sentence in SAID:
        found = stored.get(sentence[0] if isinstance(sentence, tuple) else sentence)
        if found is None or not found.string or found.fuzzy or found.string == ("",):
            missing.append(sentence)
    assert not missing, f"{len(missing)} without {locale}: {missing[:20]}"


@pytest.mark.parametrize("locale", TRANSLATED)
def test_the_catalogue_holds_only_what_is_said(locale):
    said = {sentence[0] if isinstance(sentence, tuple) else sentence for sentence in SAID}
    stored = {
        m.id[0] if isinstance(m.id, tuple) else m.id
        for m in catalogue.read_catalogue(locale)
        if m.id
    }
    assert not stored - said


@pytest.mark.parametrize("locale", TRANSLATED)
def test_a_translation_has_the_same_places_as_its_sentence(locale):
    wrong = []
    for message in catalogue.read_catalogue(locale):
        if not message.id:
            continue
        source = message.id[-1] if isinstance(message.id, tuple) else message.id
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        wrong += [text for text in texts if text and not _same_places(source, text)]
    assert not wrong


def _same_places(source: str, text: str) -> bool:
    return catalogue.places(source) == catalogue.places(text)


def _texts(locale: str) -> Iterator[str]:
    for message in catalogue.read_catalogue(locale):
        if message.id:
            yield from message.string if isinstance(message.string, tuple) else (message.string,)


def _shown_words(text: str) -> str:
    """The text without its places, so that only what is read remains."""
    return catalogue.PLACE.sub("", text)


@pytest.mark.parametrize("locale", TRANSLATED)
def test_chinese_has_its_own_punctuation(locale):
    wrong = [t for t in _texts(locale) if re.search(rf"{HAN}\s?[,;:?!]|[,;?!]\s?{HAN}", t)]
    assert not wrong, wrong[:20]


def test_neither_script_holds_characters_of_the_other():
    hans = [
        t for t in _texts("zh_Hans") if set(_shown_words(t)) & ONLY_TRADITIONAL - ONLY_SIMPLIFIED
    ]
    hant = [
        t for t in _texts("zh_Hant") if set(_shown_words(t)) & ONLY_SIMPLIFIED - ONLY_TRADITIONAL
    ]
    assert not hans, hans[:20]
    assert not hant, hant[:20]


@pytest.mark.parametrize("locale", TRANSLATED)
def test_the_compiled_catalogue_is_of_today(locale):
    source = catalogue.po_path(locale)
    compiled = source.with_suffix(".mo")
    if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
        catalogue.compile_all()
    assert compiled.exists()


# ---------------------------------------------------------------------------------- the templates


def _letters(text: str) -> list[str]:
    """The words of a text that a reader of another language would not understand."""
    clean = re.sub(r"&[a-z#0-9]+;", " ", text)
    return [w for w in re.findall(rf"[A-Za-z]{{2,}}|{HAN}+", clean) if w not in NAMES]


def unwrapped_text(source: str) -> list[str]:
    """Words in text nodes and in attributes that are read, outside of ``{{ }}``."""
    bare = re.sub(
        r"{#.*?#}|<!--.*?-->|<!doctype[^>]*>", "", source, flags=re.DOTALL | re.IGNORECASE
    )
    bare = re.sub(r"<(script|style|svg|title)\b.*?</\1>", _keep_title, bare, flags=re.DOTALL)
    bare = re.sub(r"{{.*?}}|{%.*?%}", "\0", bare, flags=re.DOTALL)
    found = []
    for name in ATTRIBUTES:
        for value in re.findall(rf'\s{name}="([^"]*)"', bare):
            found += _letters(value)
    for text in re.split(r"<[^<>]*>", bare):
        found += _letters(re.sub(r'[\w-]+="[^"]*"', "", text))  # a macro that makes attributes
    return found


def _keep_title(match: re.Match[str]) -> str:
    return match[0] if match[1] == "title" else ""


PROSE = r"[A-Z][a-z]{2,}[ a-z.,…?-]*|[A-Za-z]+( [a-z]+){2,}[.…?]?"


def _is_prose(text: str) -> bool:
    """Whether a literal in an expression is a text for people rather than a name for programs."""
    if text in NAMES or not re.search(r"[A-Za-z]{2}", text):
        return bool(re.search(HAN, text))
    return bool(re.fullmatch(PROSE, text))


GETTEXT = {"_", "gettext", "ngettext"}


def unwrapped_literals(source: str, env: Environment) -> list[str]:
    """Literals inside expressions that are prose, and sentences that are not literals."""
    found: list[str] = []

    def walk(node: nodes.Node) -> None:
        if isinstance(node, nodes.Call) and getattr(node.node, "name", "") in GETTEXT:
            if not isinstance(node.args[0], nodes.Const):
                found.append(f"line {node.lineno}: a sentence that is computed")
            for child in (*node.args[1:], *node.kwargs):
                walk(child)
            return
        if isinstance(node, nodes.Const) and isinstance(node.value, str) and _is_prose(node.value):
            found.append(f"line {node.lineno}: {node.value!r}")
        if isinstance(node, nodes.Test | nodes.Compare):
            return
        for child in node.iter_child_nodes():
            walk(child)

    walk(env.parse(source))
    return found


@pytest.fixture(scope="module")
def env():
    return Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])


# Sample names of people on the page that shows all components.
SAMPLES = {"'Mei-Ling Lin'", "'Tsai Yi-Chun'"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_template_holds_unwrapped_text(path, env):
    source = path.read_text(encoding="utf-8")
    assert not unwrapped_text(source)
    found = unwrapped_literals(source, env)
    assert not [text for text in found if text.split(": ", 1)[1] not in SAMPLES]


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("<p>Late</p>", 1),
        ("<p>{{ _('Late') }}</p>", 0),
        ('<a title="Go on">x</a>', 2),
        ('<a class="late" href="/orders">{{ x }}</a>', 0),
        ("<p>PDF · {{ x }} &amp; 12</p>", 0),
        ("<p>訂單</p>", 1),
        ("{# a note #}<script>var x = 'words';</script>", 0),
    ],
)
def test_the_lint_sees_text_and_spares_code(source, count):
    assert len(unwrapped_text(source)) == count


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("{{ m.chip('late', 'Late') }}", 1),
        ("{{ m.chip('late', _('Late')) }}", 0),
        ("{{ m.button(_('Go'), 'primary small', 'file-text') }}", 0),
        ("{{ _(status) }}", 1),
        ("{{ ngettext('%(num)s line', '%(num)s lines', n) }}", 0),
        ("{% if role == 'Sales' %}x{% endif %}", 0),
    ],
)
def test_the_lint_sees_literals_in_expressions(env, source, count):
    assert len(unwrapped_literals(source, env)) == count


# ------------------------------------------------------------------------------------- the table


def test_a_table_gives_words_and_plurals(tmp_path):
    table = tmp_path / "t.tsv"
    table.write_text("Late\t延遲\t延迟\n\n%(n)s line|%(n)s lines\t%(n)s 項\t%(n)s 项\n")
    assert catalogue.read_table(table) == {
        "Late": ("延遲", "延迟"),
        ("%(n)s line", "%(n)s lines"): ("%(n)s 項", "%(n)s 项"),
    }


def test_a_table_with_a_lost_column_is_refused_with_its_line(tmp_path):
    table = tmp_path / "t.tsv"
    table.write_text("Late\t延遲\t延迟\nDone\t完成\n")
    with pytest.raises(ValueError, match="line 2"):
        catalogue.read_table(table)
