"""Profiles: one ERP's words for ours, in TOML, checked when loaded. Start at ``load``.

The language is described in docs/profile-language.md. A wrong operation, path, transform or type
stops the start with file, table and key, not a sync at night.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from b2bcrm.ports.erp import CODES
from connectors.erp.misfit import ProfileError, expected
from connectors.erp.profile.compiling import compile_profile
from connectors.erp.profile.model import Call, Profile
from connectors.erp.profile.reads import RECORDS

__all__ = ["PROFILE_DIR", "RECORDS", "Call", "Profile", "ProfileError", "compile_profile", "load"]

PROFILE_DIR = Path(__file__).resolve().parent.parent / "profiles"


def profile_path(name: str) -> Path:
    """The file of a shipped profile's name, or the file itself. Raises ProfileError."""
    if name.endswith(".toml"):
        path = Path(name)
    elif re.fullmatch(r"[a-z0-9-]+", name):
        path = PROFILE_DIR / f"{name}.toml"
    else:
        raise ProfileError(f"{name!r} is neither a profile's name nor the path of a .toml file")
    if not path.is_file():
        shipped = [p.stem for p in PROFILE_DIR.glob("*.toml")]
        raise ProfileError(f"there is no profile {name!r}; {expected(path.stem, shipped)}")
    return path.resolve()


def load(name: str, site_wsdl: str = "", params: Mapping[str, str] | None = None) -> Profile:
    """The profile of a name or path, checked and compiled once per process and file version.

    ``params`` of a connection widen its code maps: ``map.MAP.CODE`` = what the code means.
    """
    path = profile_path(name)
    codes = tuple(sorted(p for p in (params or {}).items() if p[0].startswith(CODES)))
    return _loaded(path, site_wsdl, path.stat().st_mtime_ns, codes)


def widened(data: dict[str, Any], codes: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The profile's TOML with a connection's own codes in its maps. Raises ProfileError."""
    tables: dict[str, dict[str, Any]] = {**data.get("maps", {})}
    if "units" in data:
        tables["units"] = data["units"]
    for key, meaning in codes:
        name, _, code = key.removeprefix(CODES).partition(".")
        if name not in tables:
            raise ProfileError(f"{key}: there is no [maps.{name}]; {expected(name, tables)}")
        if not code or not meaning:
            raise ProfileError(f"{key}: write {CODES}{name}.CODE=meaning")
        if code in tables[name]:
            raise ProfileError(f"{key}: the profile says what {code} means")
        tables[name] = {**tables[name], code: meaning}
    units = {"units": tables.pop("units")} if "units" in tables else {}
    return {**data, **units, **({"maps": tables} if tables else {})}


@lru_cache(maxsize=32)
def _loaded(
    path: Path, site_wsdl: str, version: int, codes: tuple[tuple[str, str], ...]
) -> Profile:
    del version  # a changed file is a new profile
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path.name}: {error}") from None  # names line and column itself
    folder = "" if path.parent == PROFILE_DIR else str(path.parent)
    try:
        profile = compile_profile(widened(data, codes), site=site_wsdl, folder=folder)
    except ProfileError as error:
        raise ProfileError(f"{path.name}: {error.text}") from None
    own = "".join(f"\n{key}={meaning}" for key, meaning in codes)  # certified with these only
    return dataclasses.replace(profile, digest=hashlib.sha256((text + own).encode()).hexdigest())
