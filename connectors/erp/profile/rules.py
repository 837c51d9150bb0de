"""``[errors]``: which answer is a no, which one says 'later', which one says nothing.

Keys of a rule: ``fault_code`` (how it begins), ``fault_text`` (what it holds), ``http``, ``path``
with ``in``, ``not``, ``holds`` or ``absent``; ``each`` repeats it for a list of messages, among
which ``where`` chooses; ``code``, ``text``, ``field`` and ``line`` say where its words stand;
``at = "envelope"`` looks outside the string, ``at = "text"`` at a bare sentence that came in place
of the document.
"""

from __future__ import annotations

from typing import Any

from connectors.erp import paths
from connectors.erp.judging import At, IssueAt, Rule, Rules, Verdict
from connectors.erp.misfit import ProfileError, expected
from connectors.erp.paths import NameValue
from connectors.erp.profile.table import Table
from connectors.erp.shapes import Shape, find

_CLASSES = {verdict.value: verdict for verdict in Verdict}


def rules_of(table: Table, named: NameValue | None, detail: Shape | None) -> Rules:
    """The rules in their order. ``detail`` is the shape of a fault's detail, where one is named."""
    found = []
    for number, data in enumerate(table.items("rules")):
        place = f"{table.at('rules')}[{number}]"
        if not isinstance(data, dict):
            raise ProfileError(f"{place} must be a table, not {data!r}")
        found.append(_rule(Table(data, place), named))
    issues = table.table("issues")
    each: paths.Path | None = None
    at = IssueAt()
    if detail is not None:
        element = paths.local(issues.text("element"))
        inner = paths.parse(issues.text("each"))
        shape, _ = find(detail, inner, issues.at("each"))
        each = paths.parse(element) / inner
        at = _issue(issues, None)
        for key, path in vars(at).items():
            if path is not None:
                find(shape, path, issues.at(key))
    issues.done()
    table.done()
    return Rules(tuple(found), each, at)


def _rule(table: Table, named: NameValue | None) -> Rule:
    def path(key: str) -> paths.Path | None:
        return paths.parse(table.text(key), named) if key in table else None

    rule = Rule(
        verdict=table.choice("class", _CLASSES),
        fault_code=table.text("fault_code") if "fault_code" in table else None,
        fault_text=_several(table, "fault_text"),
        http=tuple(table.items("http")),
        path=path("path"),
        among=_several(table, "in"),
        but=_several(table, "not"),
        holds=_several(table, "holds"),
        absent=table.flag("absent", default=False),
        each=path("each"),
        where=paths.where(table.text("where"), named) if "where" in table else None,
        at=table.choice("at", {at.value: at for at in At}, "document"),
        operations=frozenset(_several(table, "operations")),
        issue=_issue(table, named),
    )
    table.done()
    if rule.at is At.TEXT:
        if rule.path or rule.absent or rule.each or rule.operations:
            raise ProfileError(f"{table.place}: a bare text is asked by 'in', 'not', 'holds' only")
    elif rule.path is None and (rule.among or rule.but or rule.holds or rule.absent or rule.each):
        raise ProfileError(
            f"{table.place}: 'in', 'not', 'holds', 'absent' and 'each' need a 'path'"
        )
    if rule.where is not None and rule.each is None:
        raise ProfileError(f"{table.place}: 'where' chooses among the elements of 'each'")
    return rule


def _several(table: Table, key: str) -> tuple[str, ...]:
    value: Any = table.raw(key, [])
    return (value,) if isinstance(value, str) else table.texts(key, ())


def _issue(table: Table, named: NameValue | None) -> IssueAt:
    def path(key: str) -> paths.Path | None:
        return paths.parse(table.text(key), named) if key in table else None

    return IssueAt(path("code"), path("text"), path("field"), path("line"))


def check_rules(
    rules: Rules, shapes: dict[str, list[Shape]], outer: dict[str, list[Shape]]
) -> None:
    """Each path of a rule exists in the answer of at least one operation it holds for."""
    for number, rule in enumerate(rules.rules):
        place = f"errors.rules[{number}]"
        for name in rule.operations:
            if name not in shapes:
                raise ProfileError(f"{place}: no call uses {name}; {expected(name, shapes)}")
        if rule.path is None:
            continue
        pool = outer if rule.at is At.ENVELOPE else shapes
        looked = [
            shape
            for name, found in pool.items()
            if not rule.operations or name in rule.operations
            for shape in found
        ]
        wrong: ProfileError | None = None
        for shape in looked:
            try:
                _check(rule, shape, place)
                break
            except ProfileError as error:
                wrong = wrong or error
        else:
            raise wrong or ProfileError(f"{place}: there is no such answer")


def _check(rule: Rule, shape: Shape, place: str) -> None:
    owner = shape if rule.each is None else find(shape, rule.each, place)[0]
    where = rule.where.path if rule.where is not None else None
    for path in (rule.path, where, *vars(rule.issue).values()):
        if path is not None:
            find(owner, path, place)
