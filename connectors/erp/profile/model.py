"""What a compiled profile is: calls with their requests and reading plans, rules, capabilities."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from urllib.parse import quote

from b2bcrm.ports.erp import Capability, Connection, Entity
from connectors.erp.judging import Rules
from connectors.erp.paths import Path
from connectors.erp.replies import Wanted
from connectors.erp.requesting import Setting
from connectors.erp.transforms import Formats


class PageStyle(enum.StrEnum):
    """How a list comes in parts."""

    NONE = "none"
    OFFSET = "offset"
    PAGE = "page"
    BOOKMARK = "bookmark"
    CURSOR = "cursor"
    KEY_RESTART = "key_restart"
    SEARCH_ID = "search_id"


@dataclass(frozen=True)
class Paged:
    """One list's paging: what the answer says about itself, and when the list has ended.

    ``ends``: at an empty page, at a page shorter than asked for, or where the ERP says so
    (``next``, ``more``, ``total``).
    """

    style: PageStyle = PageStyle.NONE
    size: int = 500
    start: int = 0
    next: Path | None = None
    more: Path | None = None
    announced: Path | None = None
    total: Path | None = None
    watermark: Path | None = None
    watermark_from: str = ""  # updated_at, http_date
    complete: Path | None = None
    mark: Path | None = None  # what is kept of the last row: the bookmark, the key
    inclusive: bool = False  # the row with the key comes again
    ends_short: bool = False
    more_call: str = ""  # search_id: the call for the pages after the first


@dataclass(frozen=True)
class Service:
    """One WSDL of the ERP. ``wsdl`` is a reference such as ``bundle:twin-1/erp.wsdl``."""

    name: str
    wsdl: str
    binding: str
    endpoint: str
    skip_missing: bool = False
    say_types: bool = False

    def address(self, connection: Connection) -> str:
        """The endpoint for one connection: only ``${conn.*}`` is put in."""
        text = self.endpoint.replace("${conn.base_url}", connection.base_url.rstrip("/"))
        text = text.replace("${conn.company}", quote(connection.company, safe=""))
        for name, value in connection.params.items():
            text = text.replace(f"${{conn.params.{name}}}", quote(value, safe=""))
        return text


@dataclass(frozen=True)
class Payload:
    """The documents inside strings: ``xml`` or ``json``, in which argument, at which path.

    Without an argument the request is typed, and only the answer holds a document.
    """

    style: str
    argument: Path | None
    result: Path
    root: str  # of the request
    reply_root: str  # of the reply; empty takes any
    declaration: bool = False


@dataclass(frozen=True)
class Call:
    """One operation: its request, the rows wanted of its answer."""

    name: str
    service: str
    operation: str
    response: str
    settings: tuple[Setting, ...]
    wanted: tuple[Wanted, ...] = ()
    payload: Payload | None = None
    around: tuple[Setting, ...] = ()  # beside the document inside the string
    oneway: bool = False
    empty_rows_missing: bool = False
    paged: Paged = Paged()
    args: frozenset[str] = frozenset()  # lookup: by which fields


@dataclass(frozen=True)
class Auth:
    """How we say who we are. ``header`` is HTTP's, or the SOAP element of a login session."""

    style: str = "basic"
    header: str = ""
    digest: bool = False


@dataclass(frozen=True)
class Writing:
    """What the write half says beyond its calls."""

    lines: str = ""  # "same": the ERP keeps our line numbers; "in_order": it answers in our order
    need_id: bool = True


@dataclass(frozen=True)
class Profile:
    """Everything the gateway needs to speak to one kind of ERP."""

    id: str
    version: str
    product: str
    contract_checks: int
    capabilities: Mapping[Entity, Capability]
    services: Mapping[str, Service]
    wsdls: Mapping[str, FilePath]
    auth: Auth
    formats: Formats
    charset: str
    replace_bad_bytes: bool
    huge: bool
    mask: tuple[str, ...]
    rules: Rules
    calls: Mapping[str, Call]
    overlap: dt.timedelta
    concurrency: int
    per_minute: int
    plugin: str
    folder: str  # of a profile outside the package
    writing: Writing = field(default_factory=Writing)
    params: tuple[str, ...] = ()
    evidence: str = ""
    digest: str = ""  # SHA-256 of its text
