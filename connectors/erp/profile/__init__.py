"""Profiles: one ERP's words for ours, in TOML, checked when loaded. Start at ``load``.

The language is described in docs/profile-language.md. A wrong operation, path, transform or type
stops the start with file, table and key, not a sync at night.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import tomllib
from functools import lru_cache
from pathlib import Path

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


def load(name: str, site_wsdl: str = "") -> Profile:
    """The profile of a name or path, checked and compiled once per process and file version."""
    path = profile_path(name)
    return _loaded(path, site_wsdl, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _loaded(path: Path, site_wsdl: str, version: int) -> Profile:
    del version  # a changed file is a new profile
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path.name}: {error}") from None  # names line and column itself
    folder = "" if path.parent == PROFILE_DIR else str(path.parent)
    try:
        profile = compile_profile(data, site=site_wsdl, folder=folder)
    except ProfileError as error:
        raise ProfileError(f"{path.name}: {error.text}") from None
    return dataclasses.replace(profile, digest=hashlib.sha256(text.encode()).hexdigest())
