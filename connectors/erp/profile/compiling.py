"""The whole profile from its parsed TOML, checked against WSDLs and samples on the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from b2bcrm.ports import erp as port
from b2bcrm.ports.erp import Act, CustomerDraft, Entity, Issue
from connectors.erp import answers, paths
from connectors.erp.misfit import ProfileError, expected
from connectors.erp.profile.ability import capabilities
from connectors.erp.profile.calls import Answer, Caller, operation_table, page_pairs
from connectors.erp.profile.model import Auth, Call, Profile, Writing
from connectors.erp.profile.plans import Planner
from connectors.erp.profile.reads import RECORDS, Reads
from connectors.erp.profile.rules import check_rules, rules_of
from connectors.erp.profile.services import MAIN, OpenService, Place, Samples, named_nodes
from connectors.erp.profile.sources import Known, Setter
from connectors.erp.profile.table import Table
from connectors.erp.transforms import Formats

_OTHERS: Mapping[str, type] = {
    "key": answers.Key,
    "written": answers.Written,
    "session": answers.Session,
    "told": answers.Told,
    "issue": Issue,
}
SCHEMA = 1
AUTHS = ("basic", "bearer", "header", "in-payload", "login-session", "none", "wss-username")
_TYPES: Mapping[str, Any] = {
    "text": str,
    "texts": tuple[str, ...],
    "int": int,
    "date": dt.date,
    "datetime": dt.datetime,
    "decimal": Decimal,
}


def compile_profile(data: Mapping[str, Any], *, site: str = "", folder: str = "") -> Profile:
    """A profile from its parsed TOML. Raises ProfileError on the first thing that does not fit."""
    return _Compiler(data, Place(site, folder)).profile()


class _Compiler:
    def __init__(self, data: Mapping[str, Any], place: Place) -> None:
        self.root = Table(data, "")
        self.place = place
        self.head = self.root.table("profile")
        if (schema := self.head.number("schema", SCHEMA)) != SCHEMA:
            raise ProfileError(f"profile.schema {schema} is not read here; it must be {SCHEMA}")
        self.params = self.head.texts("params", ())
        self.formats = self._formats()
        self.named = named_nodes(data)
        self.services = self._services()
        self.samples = self._samples()
        self.setter = Setter(self.formats, self.named, self.params)
        self.planner = Planner(self.formats, self.named)
        self.caller = Caller(self.services, self.samples, self.setter, self.planner, self.named)
        self.calls: dict[str, Call] = {}

    # ----- tables that others need -----

    def _formats(self) -> Formats:
        table = self.root.table("formats")
        try:
            zone = ZoneInfo(table.text("tz"))
        except (ZoneInfoNotFoundError, ValueError):
            raise ProfileError(f"formats.tz: {table.text('tz')!r} is not a time zone") from None
        maps = {name: self._map(found) for name, found in self.root.table("maps").tables()}
        units = self._map(self.root.table("units")) if "units" in self.root else {}
        formats = Formats(
            zone=zone,
            date_null=frozenset(table.texts("date_null", ("",))),
            maps=maps,
            date=table.text("date", ""),
            datetime=table.text("datetime", ""),
            units=units,
            lang_attr=table.text("lang_attr", "languageCode"),
        )
        self.charset = table.text("charset", "")
        choices = {"replace": True, "refuse": False}
        self.replace: bool = table.choice("bad_bytes", choices, "refuse")
        table.done()
        return formats

    @staticmethod
    def _map(table: Table) -> dict[str, str]:
        if "*" not in table:
            raise ProfileError(f'{table.place} has no "*": what does an unknown code mean?')
        return {key: table.text(key) for key in table.data}

    def _services(self) -> dict[str, OpenService]:
        found = {}
        if "transport" in self.root:
            found[MAIN] = self._service(MAIN, self.root.table("transport"))
        for name, table in self.root.table("services").tables():
            found[name] = self._service(name, table)
        if not found:
            raise ProfileError("transport is missing: which WSDL does this profile speak?")
        return found

    def _service(self, name: str, table: Table) -> OpenService:
        service = OpenService(name, table, self.place)
        table.done()
        return service

    def _samples(self) -> Samples | None:
        if "payload" not in self.root:
            return None
        table = self.root.table("payload")
        table.raw("node")
        samples = Samples(table, self.place)
        table.done()
        return samples

    # ----- the calls -----

    def profile(self) -> Profile:
        """Everything, in the order of the file."""
        head, root = self.head, self.root
        ability, off = head.table("ability"), root.table("off")
        reads = Reads(root, self.caller)
        overlap = reads.all()
        self.calls |= reads.calls
        self._asking()
        writing = self._writing()
        for name, table in root.table("calls").tables():
            self._extra(name, table)
        plugin_acts = self._by_plugin()
        auth = self._auth()
        rules = self._rules()
        limits, log = root.table("limits"), root.table("log")
        found = Profile(
            id=head.text("id"),
            version=head.text("version"),
            product=head.text("product"),
            contract_checks=head.number("contract_checks"),
            capabilities=capabilities(self.calls, plugin_acts, ability, off, reads.deltas),
            services={name: opened.service for name, opened in self.services.items()},
            wsdls={name: opened.path for name, opened in self.services.items()},
            auth=auth,
            formats=self.formats,
            charset=self.charset,
            replace_bad_bytes=self.replace,
            huge=self.samples is not None,
            mask=log.texts("mask", ()),
            rules=rules,
            calls=self.calls,
            overlap=overlap,
            concurrency=limits.number("concurrency", 4),
            per_minute=limits.number("per_minute", 600),
            plugin=head.text("plugin", ""),
            folder=self.place.folder,
            writing=writing,
            params=self.params,
            evidence=head.text("evidence", ""),
        )
        for table in (head, limits, log, root):
            table.done()
        return found

    def _asking(self) -> None:
        """Ping and what is asked past the feeds."""
        several = tuple[str, ...]
        asked: Mapping[str, tuple[type, Known]] = {
            "ping": (answers.Ping, Known.of()),
            "operations": (answers.Progress, Known.of(work_orders=several)),
            "stock": (port.StockLevel, Known.of(items=several, item=str, site=str)),
            "availability": (
                port.Available,
                Known.of(item=str, site=str, qty=Decimal, on=dt.date),
            ),
            "poll": (answers.Told, Known.of(handle=str)),
        }
        for name, (record, known) in asked.items():
            if name not in self.root:
                if name == "ping":
                    raise ProfileError("ping is missing: which call shows that the ERP answers?")
                continue
            table = self.root.table(name)
            answer = self._answer(record, table)
            self.calls[name] = self.caller.call(name, table, known, [answer])

    @staticmethod
    def _answer(record: type, table: Table) -> Answer:
        rows, where = table.text("rows", "."), table.text("where", "")
        return Answer(record, rows, table.table("fields"), where)

    def _writing(self) -> Writing:
        root = self.root
        if "confirm" in root:
            self._confirm(root.table("confirm"))
        if "write" not in root:
            root.raw("draft")
            return Writing()
        write = root.table("write")
        draft = root.table("draft")
        pairs = draft.items("set")
        draft.done()
        rows, fields = write.text("rows", "."), write.table("fields")
        known: Mapping[str, Known] = {
            "create": Known.of(draft=True),
            "update": Known.of(draft=True, erp_id=str, version=str),
            "cancel": Known.of(erp_id=str, reference=str, reason=str),
            "validate": Known.of(draft=True),
        }
        for act, values in known.items():
            if act not in write:
                continue
            spec = operation_table(write, act)
            sent = pairs if act != "cancel" or "draft" in spec else []
            sent = [] if act == "cancel" else sent
            record: type = Issue if act == "validate" and "fields" in spec else answers.Written
            own = spec.table("fields") if "fields" in spec else Table(fields.data, fields.place)
            answer = Answer(record, spec.text("rows", rows), own, spec.text("where", ""))
            oneway = spec.flag("oneway", default=False)
            wanted = [] if oneway else [answer]
            self.calls[act] = self.caller.call(act, spec, values, wanted, draft=sent)
            if self.calls[act].oneway is not oneway:
                raise ProfileError(f"{spec.at('oneway')} must be {not oneway}: see the WSDL")
        if "customer" in write:
            spec = operation_table(write, "customer")
            own = spec.table("fields") if "fields" in spec else Table(fields.data, fields.place)
            answer = Answer(answers.Written, spec.text("rows", rows), own, spec.text("where", ""))
            named = Known.of(names=get_type_hints(CustomerDraft))
            self.calls["create customer"] = self.caller.call(
                "create customer", spec, named, [answer]
            )
        writing = Writing(
            lines=write.choice("lines", {"same": "same", "in_order": "in_order", "": ""}, ""),
            need_id=write.flag("need_id", default=True),
        )
        write.done()
        return writing

    def _confirm(self, table: Table) -> None:
        """A message that the ERP sends to us; there is no operation of ours."""
        service = self.services[table.text("service", next(iter(self.services)))]
        element = table.text("element")
        shape = service.element(element, table.at("element"))
        wanted = self.caller.wanted(self._answer(answers.Told, table), shape, table)
        table.done()
        self.calls["confirm"] = Call(
            name="confirm",
            service=service.service.name,
            operation="",
            response=paths.local(element),
            settings=(),
            wanted=(wanted,),
        )

    def _extra(self, name: str, table: Table) -> None:
        """A call that only a plugin makes."""
        kinds: dict[str, type] = {**{e.value: r for e, r in RECORDS.items()}, **_OTHERS}
        record: type = table.choice("record", kinds)
        given = table.table("args")
        names = {key: given.choice(key, _TYPES) for key in given.data}
        if "page" in table:
            names |= {"cursor": str, "page_size": int}
        known = Known.of(names=names)
        draft: list[Any] = []
        if table.flag("with_draft", default=False):
            known = Known.of(draft=True, names=names)
            draft = self.root.table("draft").items("set")
        fields = table.table("fields")
        if record in RECORDS.values():
            entity = next(e for e, r in RECORDS.items() if r is record)
            read = self.root.table("read")
            own = read.table(entity.value).table("fields").data
            data = {**read.table("common").data, **own, **fields.data}
            fields = Table(data, fields.place)
        answer = Answer(record, table.text("rows", "."), fields, table.text("where", ""))
        page = table.table("page") if "page" in table else None
        pairs = page_pairs(Table(page.data, page.place)) if page is not None else []
        self.calls[name] = self.caller.call(
            name, table, known, [answer], more=pairs, draft=draft, page=page
        )

    def _by_plugin(self) -> dict[Entity, frozenset[Act]]:
        table = self.root.table("plugin")
        acts = {act.value: act for act in Act}
        found = {}
        for name in table.data:
            words = table.texts(name)
            for word in words:
                if word not in acts:
                    raise ProfileError(f"{table.at(name)}: no act {word}; {expected(word, acts)}")
            found[Entity(name)] = frozenset(acts[word] for word in words)
        return found

    def _auth(self) -> Auth:
        table = self.root.table("auth")
        style = table.choice("style", {name: name for name in AUTHS}, "basic")
        header = ""
        if style == "header" or (style == "login-session" and "header" in table):
            header = table.text("header")
        auth = Auth(style, header, table.flag("digest", default=False))
        table.done()
        return auth

    def _rules(self) -> Any:
        table = self.root.table("errors")
        detail = None
        if "issues" in table:
            element = table.table("issues").text("element")
            service = next(iter(self.services.values()))
            detail = service.element(element, "errors.issues.element")
        rules = rules_of(table, self.named, detail)
        check_rules(rules, self.caller.shapes, self.caller.outer)
        return rules
