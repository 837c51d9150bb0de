"""WSDLs that an administrator adds once: copied with all they import, then never fetched again.

A profile names the contract as ``site:<name>``, such as ``site:dolibarr/order.wsdl``. What it
imports stands beside it under names of ours (``order-1.xsd``), and ``order.wsdl.json`` says where
it came from. Everything is bounded: size and number of files, time, and the hosts or the folder
that a file may be taken from.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import requests
from lxml import etree

from connectors.erp import wsdls
from connectors.erp.misfit import ProfileError
from connectors.erp.replies import has_doctype

FILE_CAP = 8 * 1024 * 1024
FILES_CAP = 200
TIMEOUT_S = (5, 30)
NAME = re.compile(r"([a-z0-9][a-z0-9.-]{0,39}/)?[a-z0-9][a-z0-9.-]{0,39}\.wsdl")
NOTE = ".json"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
XSD = "http://www.w3.org/2001/XMLSchema"
PLACES = {
    f"{{{WSDL}}}import": "location",
    f"{{{XSD}}}import": "schemaLocation",
    f"{{{XSD}}}include": "schemaLocation",
    f"{{{XSD}}}redefine": "schemaLocation",
}
KNOWN = frozenset(  # schemas that the connector itself carries or needs not
    {
        "http://schemas.xmlsoap.org/soap/encoding/",
        "http://schemas.xmlsoap.org/soap/envelope/",
        "http://www.w3.org/XML/1998/namespace",
        WSDL,
        XSD,
    }
)


class WsdlError(Exception):
    """It was not stored; the text says why."""


@dataclass(frozen=True)
class Stored:
    """One WSDL in the folder. ``digest`` is the gateway's, ``at`` when it was added."""

    name: str
    source: str
    digest: str
    files: tuple[str, ...]
    operations: int
    at: str


def add(
    source: str,
    folder: Path,
    *,
    at: dt.datetime,
    name: str = "",
    hosts: Iterable[str] = (),
    login: tuple[str, str] | None = None,
    replace: bool = False,
) -> Stored:
    """Copy the WSDL at ``source`` (a file or an http(s) address) with its imports into ``folder``.

    Other hosts than the source's own only where ``hosts`` names them. Raises WsdlError; then
    nothing has changed in the folder.
    """
    name = full_name(name or _name_of(source))
    target = folder / name
    if target.exists() and not replace:
        raise WsdlError(f"{name} is there already; --replace takes the new one instead")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as made:
        fresh = Path(made)
        copied = _Copier(source, fresh, target.name, frozenset(hosts), login)
        copied.copy()
        operations = count_operations(fresh / target.name)
        files = tuple(copied.names.values())
        target.parent.mkdir(exist_ok=True)
        for old in _files_of(target):
            (target.parent / old).unlink(missing_ok=True)
        for file in reversed(files):  # the contract last: it is used when it is there
            (fresh / file).rename(target.parent / file)
        stored = Stored(
            name, source, wsdls.digest([target]), files, operations, at.isoformat("T", "seconds")
        )
        note = fresh / "note"
        note.write_text(json.dumps(asdict(stored), indent=2, ensure_ascii=False) + "\n")
        note.rename(_note(target))
    return stored


def full_name(name: str) -> str:
    """``formosa`` is short for ``formosa/formosa.wsdl``. Raises WsdlError for what is no name."""
    full = name if name.endswith(".wsdl") else f"{name}/{name}.wsdl"
    if NAME.fullmatch(full) is None:
        raise WsdlError(f"{name!r} is no name: small letters, digits, '-' and '.', 40 at most")
    return full


def listed(folder: Path) -> list[Stored]:
    """What is in the folder, by name."""
    notes = sorted(folder.rglob(f"*.wsdl{NOTE}")) if folder.is_dir() else []
    return [_read(note) for note in notes]


def _note(target: Path) -> Path:
    return target.with_name(target.name + NOTE)


def _read(note: Path) -> Stored:
    found = json.loads(note.read_text(encoding="utf-8"))
    return Stored(**found | {"files": tuple(found["files"])})


def _files_of(target: Path) -> tuple[str, ...]:
    note = _note(target)
    return _read(note).files if note.is_file() else ()


def count_operations(path: Path) -> int:
    """How many operations the stored WSDL offers, read as the gateway will read it."""
    try:
        bindings = wsdls.document(path).bindings.values()
    except ProfileError as error:
        raise WsdlError(error.text) from error
    count = len({name for binding in bindings for name in binding.all()})
    if not count:
        raise WsdlError("the WSDL has no binding with operations for SOAP over HTTP")
    return count


def _name_of(source: str) -> str:
    stem = Path(unquote(urlsplit(source).path)).stem or urlsplit(source).hostname or ""
    return re.sub(r"[^a-z0-9.-]+", "-", stem.lower()).strip("-.")[:40]


class _Copier:
    """Takes one file after another, and rewrites their imports to the copies."""

    def __init__(
        self,
        source: str,
        into: Path,
        name: str,  # of the contract's file
        hosts: frozenset[str],
        login: tuple[str, str] | None,
    ) -> None:
        self.into = into
        self.name = name
        self.login = login
        self.remote = urlsplit(source).scheme in {"http", "https"}
        if "://" in source and not self.remote:
            raise WsdlError(f"{source}: only files and http(s) addresses can be taken")
        self.start = source if self.remote else Path(source).resolve().as_uri()
        self.own = urlsplit(self.start).hostname
        self.hosts = hosts
        self.names: dict[str, str] = {}  # address -> file name of the copy
        self.waiting: list[str] = []
        self.session = requests.Session()
        self.session.trust_env = False

    def copy(self) -> None:
        """Everything from the start on."""
        self.names[self.start] = self.name
        self.waiting.append(self.start)
        with self.session:
            while self.waiting:
                address = self.waiting.pop()
                root = self.parsed(address)
                if address == self.start and root.tag != f"{{{WSDL}}}definitions":
                    raise WsdlError(f"{self.start} is no WSDL 1.1: it begins with {root.tag}")
                self.rewrite(root, address)
                content = etree.tostring(root, xml_declaration=True, encoding="utf-8")
                (self.into / self.names[address]).write_bytes(content)

    def parsed(self, address: str) -> etree._Element:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            root = etree.fromstring(self.taken(address), parser)
        except etree.XMLSyntaxError as error:
            raise WsdlError(f"{address} is not XML: {error.msg}") from error
        if has_doctype(root):
            raise WsdlError(f"{address} declares a document type, which is not allowed")
        return root

    def rewrite(self, root: etree._Element, address: str) -> None:
        """Point each import at its copy, which is still to be made."""
        for element in root.iter(*PLACES):
            attribute = PLACES[element.tag]
            place = element.get(attribute)
            if not place or element.get("namespace") in KNOWN:
                continue
            target = urldefrag(urljoin(address, place)).url
            self.may_take(target)
            if target not in self.names:
                if len(self.names) >= FILES_CAP:
                    raise WsdlError(f"it imports more than {FILES_CAP} files")
                ending = ".wsdl" if element.tag == f"{{{WSDL}}}import" else ".xsd"
                stem = self.name.removesuffix(".wsdl")
                self.names[target] = f"{stem}-{len(self.names)}{ending}"
                self.waiting.append(target)
            element.set(attribute, self.names[target])

    def may_take(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme == "file" and not self.remote:
            home = Path(unquote(urlsplit(self.start).path)).parent
            if not Path(unquote(parts.path)).resolve().is_relative_to(home):
                raise WsdlError(f"it imports {address}, which is outside of the WSDL's folder")
        elif parts.scheme in {"http", "https"}:
            if parts.hostname not in self.hosts | {self.own}:
                raise WsdlError(
                    f"it imports {address}; --allow {parts.hostname} takes that host's files too"
                )
        else:
            raise WsdlError(f"it imports {address}, which cannot be taken")

    def taken(self, address: str) -> bytes:
        """The bytes of one file."""
        parts = urlsplit(address)
        try:
            if parts.scheme == "file":
                with Path(unquote(parts.path)).open("rb") as file:
                    content = file.read(FILE_CAP + 1)
            else:
                content = self.fetched(address, own=parts.hostname == self.own)
        except OSError as error:  # requests' errors are OSErrors too
            raise WsdlError(f"{address} cannot be read: {error}") from error
        if len(content) > FILE_CAP:
            raise WsdlError(f"{address} is larger than {FILE_CAP // 1024 // 1024} MB")
        return content

    def fetched(self, address: str, *, own: bool) -> bytes:
        """One file over HTTP; the login goes to the WSDL's own host only, redirects nowhere."""
        with self.session.get(
            address,
            auth=self.login if own else None,
            timeout=TIMEOUT_S,
            stream=True,
            allow_redirects=False,
        ) as response:
            if response.status_code != requests.codes.ok:
                raise WsdlError(f"{address} answers with HTTP {response.status_code}")
            content = b""
            for part in response.iter_content(65536):
                content += part
                if len(content) > FILE_CAP:
                    break
            return content
