"""One table of a profile -> one call: its operation, its request, the rows of its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.erp import paths
from connectors.erp.misfit import ProfileError, expected
from connectors.erp.paths import NameValue
from connectors.erp.profile.model import Call, Paged, PageStyle, Payload
from connectors.erp.profile.plans import Planner
from connectors.erp.profile.services import MAIN, OpenService, Samples
from connectors.erp.profile.sources import Known, Setter, check_rows, check_sent
from connectors.erp.profile.table import Table
from connectors.erp.replies import Wanted
from connectors.erp.requesting import Setting
from connectors.erp.shapes import Shape, WsdlShape, find

PAGE_STYLES = {style.value: style for style in PageStyle}


class Answer:
    """What a call's answer is read for: rows of a record at a path."""

    def __init__(self, record: type, rows: str, fields: Table, where: str = "") -> None:
        self.record = record
        self.rows = rows
        self.fields = fields
        self.where = where


class Caller:
    """Makes the calls of one profile, and remembers the shapes of their answers."""

    def __init__(
        self,
        services: Mapping[str, OpenService],
        samples: Samples | None,
        setter: Setter,
        planner: Planner,
        named: NameValue | None,
    ) -> None:
        self.services = services
        self.samples = samples
        self.setter = setter
        self.planner = planner
        self.named = named
        self.shapes: dict[str, list[Shape]] = {}
        self.outer: dict[str, list[Shape]] = {}

    def call(
        self,
        name: str,
        spec: Table,
        known: Known,
        answers: Sequence[Answer] = (),
        *,
        more: Sequence[Any] = (),
        draft: Sequence[Any] = (),
        page: Table | None = None,
    ) -> Call:
        """The call of a table with ``operation``, ``service``, ``set``, ``sample``, ``draft``."""
        service = self._service(spec)
        operation = service.operation(spec.text("operation"), spec.at("operation"))
        reply = operation.output
        around: tuple[Setting, ...] = ()
        payload: Payload | None = None
        shape: Shape
        base = spec.text("base", self.samples.base if self.samples else "")
        if self.samples is not None and spec.flag("typed", default=False) is False:
            sample = spec.text("sample", operation.name)
            payload = self.samples.payload(operation, spec, sample)
            reply, _ = self.samples.shape(sample, "reply", spec.at("sample"))
            self.outer.setdefault(operation.name, []).append(operation.output)
            pairs = [*self.samples.around, *spec.items("around")]
            around = self.setter.settings(pairs, known, operation.input, f"{spec.place}.around")
            if payload.argument is not None:
                shape, _ = self.samples.shape(sample, "request", spec.at("sample"))
                settings = self.setter.settings(self.samples.pairs, known, shape, "payload.set")
            else:
                shape, settings = operation.input, ()
        else:
            shape = operation.input
            pairs = service.pairs
            settings = self.setter.settings(pairs, known, shape, f"{service.place}.set")
        pairs = [*spec.items("set"), *more]
        settings += self.setter.settings(pairs, known, shape, f"{spec.place}.set", base)
        if draft:
            below = paths_join(base, spec.text("draft", ""))
            settings += self.setter.settings(draft, known, shape, "draft.set", below)
        if isinstance(shape, WsdlShape):
            check_rows(settings, shape, spec.place)
            if not service.service.skip_missing:
                check_sent((*around, *settings), shape, spec.place)
        self.shapes.setdefault(operation.name, []).append(reply)
        if operation.oneway and answers:
            raise ProfileError(f"{spec.place}: {operation.name} gives no answer")
        wanted = tuple(self.wanted(answer, reply, spec) for answer in answers)
        paged = self._paged(page, reply, wanted) if page is not None else Paged()
        spec.done()
        return Call(
            name=name,
            service=service.service.name,
            operation=operation.name,
            response=operation.response,
            settings=settings,
            wanted=wanted,
            payload=payload,
            around=around,
            oneway=operation.oneway,
            paged=paged,
        )

    def _service(self, spec: Table) -> OpenService:
        name = spec.text("service", MAIN)
        try:
            return self.services[name]
        except KeyError:
            near = expected(name, self.services)
            raise ProfileError(
                f"{spec.at('service')}: there is no service {name}; {near}"
            ) from None

    def wanted(self, answer: Answer, reply: Shape, spec: Table) -> Wanted:
        """The rows of an answer. Raises ProfileError where they do not stand there."""
        path = paths.parse(answer.rows, self.named)
        shape, _ = find(reply, path, f"{spec.place}: rows {answer.rows}")
        where = None
        if answer.where:
            where = paths.where(answer.where, self.named)
            find(shape, where.path, f"{spec.place}: where")
        plan = self.planner.plan(answer.record, answer.fields, shape)
        return Wanted(path, plan, where)

    def _paged(self, table: Table, reply: Shape, wanted: Sequence[Wanted]) -> Paged:
        def path(key: str) -> paths.Path | None:
            if key not in table:
                return None
            found = paths.parse(table.text(key), self.named)
            find(reply, found, table.at(key))
            return found

        style: PageStyle = table.choice("style", PAGE_STYLES)
        mark = None
        if style in {PageStyle.BOOKMARK, PageStyle.KEY_RESTART}:
            mark = paths.parse(table.text("from_row"), self.named)
            row, _ = find(reply, wanted[0].path, table.place)
            find(row, mark, table.at("from_row"))
        source = table.text("watermark", "")
        computed = source in {"updated_at", "http_date"}
        first = 1 if style is PageStyle.PAGE else 0
        paged = Paged(
            style=style,
            size=table.number("size", 500),
            start=table.number("start", first),
            next=path("next"),
            more=path("more"),
            announced=path("announced"),
            total=path("total"),
            watermark=None if computed or not source else path("watermark"),
            watermark_from=source if computed else "",
            complete=path("complete"),
            mark=mark,
            inclusive=table.flag("inclusive", default=False),
            ends_short=table.choice("ends", {"short": True, "empty": False}, "empty"),
            more_call=table.text("more_call", ""),
        )
        if style in {PageStyle.CURSOR, PageStyle.SEARCH_ID} and paged.next is None:
            raise ProfileError(f"{table.at('next')}: where does the next cursor stand?")
        for key in ("cursor", "send", "send_size"):
            table.raw(key)
        table.done()
        return paged


def page_pairs(table: Table) -> list[Any]:
    """What a list call sends for its page: cursor and size."""
    pairs: list[Any] = []
    if "send" in table:
        pairs.append([table.text("send"), table.text("cursor", "cursor")])
    if "send_size" in table:
        pairs.append([table.text("send_size"), "page_size"])
    return pairs


def paths_join(base: str, below: str) -> str:
    """Two path texts in one."""
    if below.startswith("/") or not base:
        return below.strip("/")
    return f"{base}/{below}".strip("/")


def operation_table(parent: Table, key: str) -> Table:
    """A call's table; a text alone is its operation."""
    spec = parent.raw(key)
    if isinstance(spec, str):
        return Table({"operation": spec}, parent.at(key))
    return parent.table(key)
