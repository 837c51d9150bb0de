"""Rules of the house that no linter knows: each was told twice, so now a test tells it.

Not here: the layers (import-linter's contracts in pyproject.toml) and style (ruff). A rule that
reads code is a function from source text to findings, so that a planted violation can prove it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("b2bcrm", "connectors")
LOCKS = [*sorted(ROOT.glob("requirements*.txt")), ROOT / "package-lock.json"]
TEXT = {".css", ".html", ".in", ".jinja", ".js", ".json", ".md", ".mako", ".po", ".py", ".service"}
TEXT |= {".sh", ".toml", ".txt", ".wsdl", ".xml", ".xsd", ".yaml", ".yml"}

Rule = Callable[[str], list[str]]


def own_files(*folders: str) -> Iterator[Path]:
    """Files of the project below the folders, without what set-up copies or tools leave behind."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and not {"vendor", "__pycache__"} & set(path.parts):
                yield path


def modules(*folders: str) -> list[Path]:
    """Python modules, but not migrations: a revision is a record, and as long as its tables."""
    found = [path for path in own_files(*folders) if path.suffix == ".py"]
    return [path for path in found if "versions" not in path.parts]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def findings(rule: Rule, paths: list[Path], *, but: frozenset[str] = frozenset()) -> list[str]:
    """What a rule finds, as `file: finding`; `but` are the files for which it does not hold."""
    chosen = [path for path in paths if name(path) not in but]
    return [f"{name(path)}: {text}" for path in chosen for text in rule(path.read_text())]


def called_attributes(source: str) -> Iterator[tuple[ast.Call, ast.Attribute]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func


# ---------------------------------------------------------------------------------------- the rules


def transactions_ended(source: str) -> list[str]:
    """Calls of commit() and rollback(): a Work ends at the edge, in kernel/work.py."""
    return [
        f"line {call.lineno}: {what.attr}()"
        for call, what in called_attributes(source)
        if what.attr in {"commit", "rollback"}
    ]


def flushes_without_reason(source: str) -> list[str]:
    """Calls of session.flush() that no comment explains, on the same line or on the one above."""
    lines = ["", *source.splitlines()]
    return [
        f"line {call.lineno}: flush() without a reason"
        for call, what in called_attributes(source)
        if what.attr == "flush"
        and ast.unparse(what.value).endswith("session")
        and "  # " not in lines[call.lineno]
        and not lines[call.lineno - 1].strip().startswith("#")
    ]


def clocks_read(source: str) -> list[str]:
    """Calls of datetime.now() and its like: business time is work.now, machine time work.tick."""
    return [
        f"line {call.lineno}: {ast.unparse(call)}"
        for call, what in called_attributes(source)
        if (what.attr in {"now", "utcnow", "today"} and re.search(r"date", ast.unparse(what.value)))
        or (what.attr == "time" and ast.unparse(what.value) == "time")
    ]


def environment_read(source: str) -> list[str]:
    """Uses of os.environ and os.getenv: settings reach code as arguments.

    os.environ.setdefault() is spared: it tells a library something, it asks nothing.
    """
    telling = [what.value for _, what in called_attributes(source) if what.attr == "setdefault"]
    spared = {(node.lineno, node.col_offset) for node in telling}
    return [
        f"line {node.lineno}: os.{node.attr}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv"}
        and (node.lineno, node.col_offset) not in spared
    ]


def words_of_the_unfinished(source: str) -> list[str]:
    """What says that something is still to be written."""
    return re.findall(r"\b(?:TODO|FIXME|XXX|raise NotImplementedError|[Ll]orem ipsum)\b", source)


def words_of_a_machine(source: str) -> list[str]:
    """Folders of one machine and hosts of package registries."""
    folders = re.findall(r"(?<![\w.])/(?:root|home/\w+|work|opt/wheels|tmp/brief)/", source)
    return folders + re.findall(r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs)", source)


def second_words(source: str) -> list[str]:
    """One word per idea: it is a case and a promise (docs/glossary.md)."""
    return sorted({word.lower() for word in re.findall(r"(?i)\b(ticket|commitment)s?\b", source)})


RULES_AND_BREAKS = [
    (transactions_ended, "work.session.commit()", "work.publish(event)"),
    (flushes_without_reason, "session.flush()", "session.flush()  # the event needs the id"),
    (clocks_read, "x = dt.datetime.now(dt.UTC)", "x = work.now"),
    (clocks_read, "x = date.today()", "x = work.today"),
    (environment_read, "x = os.environ['A']", "x = settings.a"),
    (words_of_the_unfinished, "# TODO: later", "# done"),
    (words_of_a_machine, "path = '/home/me/x'", "path = '/usr/share'"),
    (second_words, "a Ticket is opened", "a case is opened"),
]


@pytest.mark.parametrize(("rule", "broken", "kept"), RULES_AND_BREAKS)
def test_each_rule_finds_a_planted_violation_and_spares_the_right_way(
    rule: Rule, broken: str, kept: str
):
    assert rule(broken)
    assert not rule(kept)


# ------------------------------------------------------------------------------ held by the product


def test_only_the_kernel_ends_a_transaction():
    assert not findings(
        transactions_ended, modules("b2bcrm"), but=frozenset({"b2bcrm/kernel/work.py"})
    )


def test_every_flush_says_why():
    assert not findings(flushes_without_reason, modules("b2bcrm"))


def test_only_the_clock_reads_the_clock():
    assert not findings(clocks_read, modules("b2bcrm"), but=frozenset({"b2bcrm/kernel/clock.py"}))


def test_settings_reach_code_as_arguments():
    edges = {"b2bcrm/settings.py", "b2bcrm/cli/serving.py"}
    edges.add("b2bcrm/fulfillment/planning/engine/compiled.py")  # decorators run at import
    assert not findings(environment_read, modules(*PRODUCT), but=frozenset(edges))


def texts() -> list[Path]:
    """All texts of the project but this one; lock files have a test apart."""
    rooted = [path for path in ROOT.iterdir() if path.is_file()]
    paths = [*rooted, *own_files(*PRODUCT, "tests", "docs", "deploy", ".ci")]
    here = [path for path in paths if path.suffix in TEXT or not path.suffix]
    return [path for path in here if path not in {*LOCKS, Path(__file__)}]


def test_nothing_is_left_unfinished():
    assert not findings(words_of_the_unfinished, texts())


def test_no_text_names_a_folder_of_one_machine_or_a_registry():
    assert not findings(words_of_a_machine, texts())


def test_one_word_per_idea():
    pages = [path for path in own_files(*PRODUCT) if path.suffix in {".py", ".html", ".jinja"}]
    assert not findings(second_words, pages)


def test_no_module_has_a_name_that_says_nothing():
    nothing = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
    assert [name(path) for path in modules(*PRODUCT, "tests") if path.stem in nothing] == []


def test_every_module_fits_into_400_lines():
    paths = [*modules(*PRODUCT, "tests"), ROOT / "setup_env.py"]
    lengths = {name(path): len(path.read_text().splitlines()) for path in paths}
    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}


def test_the_sixty_second_tour_is_three_files_under_400_lines():
    tour = ("orders/lifecycle.py", "orders/actions/life.py", "bootstrap/routes.py")
    paths = [ROOT / "b2bcrm" / one for one in tour]
    written = [line for path in paths for line in path.read_text().splitlines() if line.strip()]
    assert len(written) < 400


# --------------------------------------------------------------------------------- locks and set-up


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_file_names_no_host(lock: Path):
    assert not re.findall(r"https?://|file:|\bindex-url|find-links|\"resolved\"", lock.read_text())


def test_every_locked_python_package_has_a_hash():
    locks = list(ROOT.glob("requirements*.txt"))
    assert locks
    for lock in locks:
        blocks = re.split(r"\n(?=[a-z])", lock.read_text())[1:]
        assert blocks, lock
        for block in blocks:
            assert "--hash=sha256:" in block, block


def test_what_the_product_imports_is_asked_for_by_name():
    asked = set()
    for part in ("requirements.in", "requirements-engine.in"):
        for line in (ROOT / part).read_text().splitlines():
            if line and line[0].isalpha():
                asked.add(re.split(r"[\[=<>~ ]", line)[0].lower())
    of_import = packages_distributions()
    unasked = set()
    for path in modules(*PRODUCT):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for full in names:
                root = full.split(".")[0]
                if root not in sys.stdlib_module_names and root not in PRODUCT:
                    owners = {owner.lower() for owner in of_import.get(root, [root])}
                    if not owners & asked:
                        unasked.add(f"{root} in {name(path)}")
    # These come with the package that speaks for them: Flask's own parts, NumPy with pandas.
    carried = ("werkzeug", "itsdangerous", "jinja2", "markupsafe", "numpy", "wtforms")
    assert sorted(one for one in unasked if not one.startswith(carried)) == []


def test_the_build_server_runs_what_a_person_runs():
    assert "./crm test" in (ROOT / ".ci/run").read_text()


def test_the_runbook_names_every_setting_and_no_other():
    constants = {
        node.value
        for node in ast.walk(ast.parse((ROOT / "b2bcrm/settings.py").read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    known = {text for text in constants if re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", text)}
    runbook = (ROOT / "docs/runbook.md").read_text()
    table = re.findall(r"^\| `([A-Z][A-Z0-9_]+)`", runbook, re.MULTILINE)
    assert known
    assert known - set(table) == set(), "settings that docs/runbook.md does not explain"
    assert set(table) - known == set(), "settings that no longer exist"
