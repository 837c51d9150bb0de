"""A profile that cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import ErpConfig

MOST_NAMES = 12


class ProfileError(ErpConfig):
    """The profile does not fit its WSDL, its samples or our port; the text says where and why."""

    def __init__(self, text: str) -> None:
        super().__init__(Message("The ERP profile cannot be used: %(text)s", text=text))
        self.text = text


def expected(name: str, known: Iterable[str]) -> str:
    """What could have been meant: the nearest names, or all of them where they are few."""
    names = sorted(set(known))
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return f"did you mean {', '.join(near)}?"
    if not names:
        return "nothing is known here"
    more = ", ..." if len(names) > MOST_NAMES else ""
    return f"there are {', '.join(names[:MOST_NAMES])}{more}"
