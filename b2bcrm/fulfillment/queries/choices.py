"""What the board offers to choose from, and as of which change: all in one statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from b2bcrm.catalog.models import ItemFamily, WorkCenter
from b2bcrm.fulfillment.models import BoardView
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.timeline import ChangeCounter
from b2bcrm.kernel.work import Work


class SavedView(NamedTuple):
    """A view of the board; ``mine``: the reader may forget it."""

    id: int
    name: str
    query: str
    mine: bool


@dataclass
class Choices:
    """``sites`` as (id, code, name), ``centers`` as (code, name, site code).

    ``seen`` is the board's change counter: what is read after it is at least as new.
    """

    sites: list[tuple[int, str, str]] = field(default_factory=list)
    families: dict[str, dict[str, str]] = field(default_factory=dict)
    centers: list[tuple[str, str, str]] = field(default_factory=list)
    views: list[SavedView] = field(default_factory=list)
    seen: int = 0

    def family_name(self, code: str, locale: str) -> str:
        """The family as people call it; its code where it has no name."""
        names = self.families.get(code, {})
        return names.get(locale) or names.get("en") or code

    def site_code(self, site_id: int | None) -> str:
        """The code of a site, empty for all."""
        return next((code for key, code, _name in self.sites if key == site_id), "")


def _everything() -> sa.Select[Any]:
    none, mine = sa.literal(""), BoardView.owner_id == sa.bindparam("me", type_=sa.BigInteger)
    rows = sa.union_all(
        sa.select(
            sa.literal("site").label("kind"),
            Site.code.label("code"),
            Site.name.label("name"),
            sa.cast(Site.id, sa.String).label("more"),
            none.label("last"),
        ),
        sa.select(
            sa.literal("family"),
            ItemFamily.code,
            ItemFamily.name,
            ItemFamily.name_zh_hant,
            ItemFamily.name_zh_hans,
        ),
        sa.select(
            sa.literal("center"), WorkCenter.code, WorkCenter.name, WorkCenter.site_code, none
        ),
        sa.select(
            sa.literal("view"),
            sa.cast(BoardView.id, sa.String),
            BoardView.name,
            BoardView.query,
            sa.case((mine, "mine"), else_=""),
        ).where(sa.or_(BoardView.shared, mine)),
        sa.select(
            sa.literal("seen"), ChangeCounter.topic, sa.cast(ChangeCounter.n, sa.String), none, none
        ).where(ChangeCounter.topic == "board"),
    ).subquery()
    return sa.select(rows).order_by(rows.c.kind, rows.c.name)


_EVERYTHING = _everything()  # built once: a page asks it at each look


def choices(work: Work) -> Choices:
    """Everything that the board offers to the reader."""
    found = Choices()
    for kind, code, name, more, last in work.session.execute(
        _EVERYTHING, {"me": work.actor.user_id}
    ):
        if kind == "site":
            found.sites.append((int(more), code, name))
        elif kind == "family":
            found.families[code] = {"en": name, "zh_Hant": more, "zh_Hans": last}
        elif kind == "view":
            found.views.append(SavedView(int(code), name, more, last == "mine"))
        elif kind == "seen":
            found.seen = int(name)
        else:
            found.centers.append((code, name, more))
    return found
