"""What an answer means, by the profile's rules: the first rule that matches decides.

A rule looks at the fault's code or text, at the HTTP status, or at what stands in the body
(``HTTP 200 and no fault`` is no success with half of all ERPs). Not here: how a class becomes an
error of the port (``errors``).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from b2bcrm.ports.erp import Issue
from connectors.erp import paths
from connectors.erp.replies import Fault

_DATABASE = re.compile(
    r"\b(?:select\b.+\bfrom|insert\s+into|update\b.+\bset|delete\s+from)\b|foreign key"
    r"|constraint|sqlstate|sqlcode|\bora-\d+|unknown column|duplicate entry|syntax error"
    r"|deadlock|lock wait|table '|stack trace|traceback|exception in",
    re.IGNORECASE | re.DOTALL,
)
LONGEST = 500


class Verdict(enum.StrEnum):
    """What became of the call."""

    OK = "ok"
    TRANSIENT = "transient"  # surely nothing was changed: try again later
    THROTTLED = "throttled"  # as above: the account's limit is used up
    UNKNOWN = "unknown"  # may have been done
    AUTH = "auth"
    REJECTED = "rejected"
    CONFLICT = "conflict"
    NOT_FOUND = "not_found"
    DRIFT = "drift"
    CONFIG = "config"


class At(enum.StrEnum):
    """What a rule looks at, where an answer has a document inside a string."""

    DOCUMENT = "document"
    ENVELOPE = "envelope"
    TEXT = "text"  # the bare sentence that stands where the document should


@dataclass(frozen=True)
class IssueAt:
    """Where an objection's parts stand, below the element that holds it."""

    code: paths.Path | None = None
    text: paths.Path | None = None
    field: paths.Path | None = None
    line: paths.Path | None = None

    def read(self, element: etree._Element) -> Issue:
        """The issue of one element; a database's text is kept as its code, never as words."""
        code = paths.first(element, self.code)
        text = paths.first(element, self.text)[:LONGEST]
        line = paths.first(element, self.line)
        if _DATABASE.search(text):
            code, text = text, ""
        line_no = int(line) if line.isdigit() and int(line) else None
        return Issue(code, text, paths.first(element, self.field), line_no)


@dataclass(frozen=True)
class Rule:
    """One rule. All that it names must match; one that names nothing matches always."""

    verdict: Verdict
    fault_code: str | None = None  # begins with
    fault_text: tuple[str, ...] = ()  # contains one of, whatever the case
    http: tuple[int, ...] = ()
    path: paths.Path | None = None
    among: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()  # contains one of, whatever the case
    absent: bool = False
    each: paths.Path | None = None  # the rule holds for each of these elements
    where: paths.Where | None = None  # ...that fulfil this
    at: At = At.DOCUMENT
    operations: frozenset[str] = frozenset()
    issue: IssueAt = IssueAt()

    def of_fault(self, fault: Fault, status: int) -> bool:
        """Whether it speaks of this fault."""
        if self.path is not None or self.absent or self.at is At.TEXT:
            return False
        if self.fault_code is not None and not fault.code.startswith(self.fault_code):
            return False
        text = fault.text.casefold()
        if self.fault_text and not any(part.casefold() in text for part in self.fault_text):
            return False
        return not self.http or status in self.http

    def hits(self, root: etree._Element) -> Iterator[etree._Element]:
        """The elements of an answer without a fault that it speaks of."""
        if self.path is None:
            return
        owners = [root] if self.each is None else paths.elements(root, self.each)
        for owner in owners:
            if self.where is not None and not self.where(owner):
                continue
            found = [text.strip() for text in paths.texts(owner, self.path)]
            if self.absent:
                if not any(found):
                    yield owner
            elif any(self.of_value(text) for text in found):
                yield owner

    def of_value(self, text: str) -> bool:
        """Whether it speaks of this text."""
        if self.among and text not in self.among:
            return False
        if self.holds and not any(part.casefold() in text.casefold() for part in self.holds):
            return False
        return not (self.but and text in self.but)


@dataclass(frozen=True)
class Judgement:
    """A verdict with what the ERP says about it."""

    verdict: Verdict
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True)
class Rules:
    """The rules of a profile in their order, and where its faults keep their details."""

    rules: tuple[Rule, ...]
    detail: paths.Path | None = None  # the issues below a fault's detail
    issue: IssueAt = IssueAt()

    def of_fault(self, fault: Fault, status: int) -> Judgement:
        """A SOAP fault's verdict; unknown where no rule speaks of it."""
        rule = next((r for r in self.rules if r.of_fault(fault, status)), None)
        issues: Sequence[Issue] = ()
        if fault.detail is not None and self.detail is not None:
            issues = [self.issue.read(e) for e in paths.elements(fault.detail, self.detail)]
        if not issues:
            text = fault.text[:LONGEST]
            raw = _DATABASE.search(text) is not None
            issues = [Issue(text if raw else fault.code, "" if raw else text)]
        return Judgement(rule.verdict if rule else Verdict.UNKNOWN, tuple(issues))

    def of_status(self, status: int) -> Verdict | None:
        """What the profile says of a bare HTTP status."""
        for rule in self.rules:
            if status in rule.http and rule.fault_code is None and not rule.fault_text:
                return rule.verdict
        return None

    def of_answer(
        self, operation: str, root: etree._Element, outer: etree._Element | None
    ) -> Judgement:
        """An answer without a fault; ok where no rule objects."""
        for rule in self.rules:
            if rule.operations and operation not in rule.operations:
                continue
            at = outer if rule.at is At.ENVELOPE and outer is not None else root
            found = list(rule.hits(at))
            if found:
                return Judgement(rule.verdict, tuple(rule.issue.read(e) for e in found))
        return Judgement(Verdict.OK)

    def of_text(self, text: str) -> Judgement:
        """A sentence where a document should be; unknown where no rule speaks of it."""
        rules = (rule for rule in self.rules if rule.at is At.TEXT)
        rule = next((r for r in rules if r.of_value(text)), None)
        words = text[:LONGEST]
        raw = _DATABASE.search(words) is not None
        issue = Issue(words if raw else "", "" if raw else words)
        return Judgement(rule.verdict if rule else Verdict.UNKNOWN, (issue,))
