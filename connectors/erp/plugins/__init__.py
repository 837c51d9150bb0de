"""What only code can do for one kind of ERP, chosen by its profile: ``plugin = "name"``.

A plugin is a module with a class ``Plugin`` below this package, or a .py file beside a profile
outside of it. It may hold a login session, add SOAP headers, and take over single calls of the
port; what it leaves alone, the profile does.
"""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from b2bcrm.ports.erp import Entity, OrderDraft, Page, Record, WriteResult
from connectors.erp.misfit import ProfileError, expected

if TYPE_CHECKING:
    from connectors.erp.channel import Channel
    from connectors.erp.profile.model import Profile

FOLDER = Path(__file__).resolve().parent


class Plugin:
    """The plugin that does nothing; others begin here. None means: as the profile says."""

    has_session = False

    def fit(self, profile: Profile) -> None:
        """Made for this profile. Raises ProfileError where it lacks what the plugin needs."""
        del profile

    def token(self, channel: Channel) -> str:
        """The session's token, logging in where there is none. Raises ErpAuth."""
        del channel
        return ""

    def forget(self, token: str) -> None:
        """The ERP no longer knows this session."""
        del token

    def headers(self, token: str) -> Sequence[etree._Element]:
        """SOAP headers of each call."""
        del token
        return ()

    def list(
        self,
        channel: Channel,
        entity: Entity,
        *,
        since: dt.datetime | None,
        cursor: str | None,
        page_size: int,
    ) -> Page | None:
        """A page, where the ERP has no list of its own."""
        del channel, entity, since, cursor, page_size
        return None

    def get(self, channel: Channel, entity: Entity, erp_id: str) -> Record | None:
        """A record that takes several calls."""
        del channel, entity, erp_id
        return None

    def lookup(
        self, channel: Channel, entity: Entity, field: str, value: str
    ) -> Sequence[Record] | None:
        """Records by another key, where that takes several calls."""
        del channel, entity, field, value
        return None

    def create(self, channel: Channel, draft: OrderDraft) -> WriteResult | None:
        """A sales order that takes several calls."""
        del channel, draft
        return None

    def update(
        self, channel: Channel, erp_id: str, draft: OrderDraft, expected_version: str
    ) -> WriteResult | None:
        """A change that takes several calls."""
        del channel, erp_id, draft, expected_version
        return None

    def cancel(self, channel: Channel, erp_id: str, reason: str) -> WriteResult | None:
        """A cancellation that takes several calls."""
        del channel, erp_id, reason
        return None


def plugin_of(profile: Profile) -> Plugin:
    """A fresh plugin for one connection. Raises ProfileError where there is none of the name."""
    if not profile.plugin:
        return Plugin()
    made: Any = getattr(_module(profile), "Plugin", None)
    if made is None or not issubclass(made, Plugin):
        raise ProfileError(f"profile.plugin: {profile.plugin} has no class Plugin(Plugin)")
    found: Plugin = made()
    found.fit(profile)
    return found


def _module(profile: Profile) -> Any:
    name = profile.plugin
    if name.endswith(".py") and profile.folder:
        path = Path(profile.folder, name)
        if path.parent == Path(profile.folder) and path.is_file():
            spec = importlib.util.spec_from_file_location(f"erp_plugin_{path.stem}", path)
            if spec is not None and spec.loader is not None:
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                return module
        raise ProfileError(f"profile.plugin: there is no {name} beside the profile")
    shipped = [p.stem for p in FOLDER.glob("*.py") if p.stem != "__init__"]
    if name not in shipped:
        raise ProfileError(f"profile.plugin: there is no {name}; {expected(name, shipped)}")
    return importlib.import_module(f"connectors.erp.plugins.{name}")
