"""The proposal as a profile's TOML: commented, and loading as far as it is mapped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from b2bcrm.ports.erp import Entity
from connectors.erp import wsdls
from connectors.erp.drafting import words
from connectors.erp.drafting.proposing import Fields, Reading, readings
from connectors.erp.misfit import ProfileError
from connectors.erp.profile.ability import EXPECTED, READS
from connectors.erp.profile.services import OpenService, Place
from connectors.erp.profile.table import Table

NO_LIST = "not mapped: the WSDL has no operation whose name says that it lists them"


def draft(wsdl: Path, reference: str, *, profile_id: str, zone: str) -> str:
    """A profile for the WSDL, which the profile will name as ``reference``.

    Raises ProfileError where the WSDL cannot be read or offers no SOAP binding.
    """
    service = _service(wsdl)
    names = sorted(service.binding.all())
    found = readings(service, names)
    parts = [
        _head(profile_id, zone, service, reference, _address(service)),
        _operations(names),
        _ping(names, service, found),
    ]
    parts += [_entity(reading) for reading in found.values()]
    parts += [_maps(found), _off(found, names)]
    return "\n".join(part for part in parts if part)


def _service(wsdl: Path) -> OpenService:
    bindings = wsdls.document(wsdl).bindings
    usable = [name for name, b in bindings.items() if type(b).__name__.startswith("Soap1")]
    if not usable:
        raise ProfileError(f"the WSDL {wsdl.name} has no binding for SOAP over HTTP")
    soap11 = [n for n in usable if type(bindings[n]).__name__ == "Soap11Binding"]
    data = {
        "wsdl": f"file:{wsdl.name}",
        "binding": (soap11 or usable)[0],
        "endpoint": "${conn.base_url}",
    }
    return OpenService("main", Table(data, "transport"), Place("", str(wsdl.parent)))


def _address(service: OpenService) -> str:
    """The path of the service below the connection's address."""
    for found in service.document.services.values():
        for port in found.ports.values():
            if port.binding is service.binding:
                return urlsplit(port.binding_options.get("address") or "").path.rstrip("/")
    return ""


def _head(name: str, zone: str, service: OpenService, reference: str, path: str) -> str:
    return f"""# A first profile, made from the WSDL. "not mapped" marks each gap.
# The language is described in docs/profile-language.md.

[profile]
id = "{name}"
version = "1"
product = "{name}"
contract_checks = 0                      # raise it to what `crm erp certify` passes

[profile.ability]                        # what the ERP guarantees; these are the cautious values
deletes = "absence"
idempotency = "none"

[transport]
wsdl = "{reference}"
binding = "{service.service.binding}"
endpoint = "${{conn.base_url}}{path}"

[auth]
style = "basic"                          # bearer, header, wss-username, in-payload, login-session

[formats]
tz = "{zone}"                            # of instants that carry no zone
date_null = ["", "0000-00-00", "0001-01-01"]

[log]                                    # elements whose values no log may hold
mask = ["Password"]

[errors]                                 # the first match wins
rules = [{{fault_code = "", class = "unknown"}}]
"""


def _operations(names: Sequence[str]) -> str:
    lines = ["# Operations of this WSDL:"]
    return "\n".join([*lines, *(f"#   {name}" for name in names), ""])


def _ping(names: Sequence[str], service: OpenService, found: Mapping[Entity, Reading]) -> str:
    """A call that needs nothing: one that says it is alive, else a list that can be read."""
    free = [n for n in names if not _needed(service, n)]
    alive = [n for n in free if words.plain(n) in words.PING_VERBS]
    lists = [r.list_call for r in found.values() if not r.gap and r.list_call in free]
    best = next(iter(alive + lists), "")
    if not best:
        return "# not mapped: ping. No operation can be called without arguments; choose one.\n"
    return f'[ping]\noperation = "{best}"\nfields = {{}}\n'


def _needed(service: OpenService, name: str) -> list[str]:
    return [n for n, s in service.operation(name, name).input.below.items() if s.required]


def _entity(reading: Reading) -> str:
    """Its tables; all of them in comments where a gap is left."""
    lines = [
        f"[read.{reading.entity}]",
        f'list = "{reading.list_call}"',
        f'rows = "{reading.rows}"',
    ]
    if reading.get_call:
        inner = f'operation = "{reading.get_call}", rows = "{reading.get_rows}"'
        lines.append(f'get = {{{inner}, set = [["{reading.get_key}", "erp_id"]]}}')
    page = reading.page or {"style": "none"}
    if reading.fields is not None and "updated_at" in reading.fields.mapped:
        page = {**page, "watermark": "updated_at"}  # complete up to the newest change in it
    inner = ", ".join(f'{key} = "{value}"' for key, value in page.items())
    lines.append(f"page = {{{inner}}}")
    element, style = reading.since
    if element:
        lines.append(f'delta = {{style = "{style}", send = "{element}"}}')
    if reading.fields is not None:
        lines += _fields(f"read.{reading.entity}", reading.fields)
    if reading.gap:
        lines = [f"# {reading.gap}", *(f"# {line}".rstrip() for line in lines)]
    return "\n".join([*lines, ""])


def _fields(place: str, fields: Fields) -> list[str]:
    lines = [f"[{place}.fields]"]
    lines += [f'{name} = "{spec}"' for name, spec in fields.mapped.items()]
    lines += [
        f'{name} = "|const:"'.ljust(40) + " # not mapped: left empty" for name in fields.empty
    ]
    lines += [f"# not mapped: {name}" for name in fields.missing]
    for name, (rows, inner) in fields.lists.items():
        lines += [f"[{place}.fields.{name}]", f'rows = "{rows}"']
        lines += _fields(f"{place}.fields.{name}", inner)
    return lines


def _maps(found: Mapping[Entity, Reading]) -> str:
    """Code lists: theirs are unknown, so every code is held back until a person maps it."""
    lines = []
    codes: dict[str, tuple[str, ...]] = {}
    for reading in found.values():
        if not reading.gap and reading.fields is not None:
            codes |= reading.fields.all_codes()
    for name, ours in codes.items():
        lines += [
            f"[maps.{name}]",
            f"# not mapped: their codes. Each is written as THEIRS = one of {', '.join(ours)}",
            '"*" = "!drift"',
            "",
        ]
    return "\n".join(lines)


def _off(found: Mapping[Entity, Reading], names: Sequence[str]) -> str:
    """Why something is not offered, entity by entity and act by act."""
    lines = ["[off]"]
    for entity in Entity:
        reading = found.get(entity)
        if reading is None or reading.gap:
            lines.append(f'{entity} = "{reading.gap if reading else NO_LIST}"')
            continue
        have = {"list", "list_keys"} | ({"get"} if reading.get_call else set())
        writers = [n for n in names if words.plain(n).startswith(words.WRITE_VERBS)]
        near = f"; the WSDL has {', '.join(writers)}" if writers else ""
        reasons = [
            f'{act} = "not mapped{near if act.value in {"create", "update", "cancel"} else ""}"'
            for act in EXPECTED.get(entity, READS)
            if act.value not in have
        ]
        if reasons:
            lines.append(f"{entity} = {{{', '.join(reasons)}}}")
    return "\n".join([*lines, ""])
