"""A table of a profile's TOML that knows its place, and refuses keys that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.erp.misfit import ProfileError, expected

_NONE: Any = object()
_WORDS = {str: "a text", int: "a number", bool: "true or false", list: "a list", dict: "a table"}


class Table:
    """One table. Each getter says what it wants; ``done`` refuses what is left over."""

    def __init__(self, data: Mapping[str, Any], place: str) -> None:
        self.data = data
        self.place = place
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        """Whether the table has the key; that counts as asking for it."""
        self._asked.add(key)
        return key in self.data

    def _get(self, key: str, kind: type, default: Any) -> Any:
        self._asked.add(key)
        value = self.data.get(key, default)
        if value is _NONE:
            near = expected(key, set(self.data) - self._asked)
            raise ProfileError(f"{self.at(key)} is missing; {near}")
        if value is not default and not isinstance(value, kind):
            raise ProfileError(f"{self.at(key)} must be {_WORDS[kind]}, not {value!r}")
        return value

    def text(self, key: str, default: str = _NONE) -> str:
        """A text."""
        found: str = self._get(key, str, default)
        return found

    def number(self, key: str, default: int = _NONE) -> int:
        """A whole number."""
        found: int = self._get(key, int, default)
        return found

    def flag(self, key: str, *, default: bool = _NONE) -> bool:
        """True or false."""
        found: bool = self._get(key, bool, default)
        return found

    def texts(self, key: str, default: tuple[str, ...] = _NONE) -> tuple[str, ...]:
        """A list of texts."""
        found = self._get(key, list, default)
        if not all(isinstance(item, str) for item in found):
            raise ProfileError(f"{self.at(key)} must be a list of texts")
        return tuple(found)

    def items(self, key: str) -> list[Any]:
        """A list of anything; empty where there is none."""
        found: list[Any] = self._get(key, list, [])
        return found

    def table(self, key: str) -> Table:
        """A table below; an empty one where there is none."""
        return Table(self._get(key, dict, {}), self.at(key))

    def tables(self) -> Iterator[tuple[str, Table]]:
        """All tables below, by name."""
        for key in self.data:
            yield key, self.table(key)

    def raw(self, key: str, default: Any = None) -> Any:
        """Whatever stands there."""
        self._asked.add(key)
        return self.data.get(key, default)

    def at(self, key: str) -> str:
        """The key's place, for a message."""
        return f"{self.place}.{key}".lstrip(".")

    def done(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self.data:
            if key not in self._asked:
                raise ProfileError(
                    f"{self.at(key)} is not known here; {expected(key, self._asked)}"
                )

    def choice(self, key: str, choices: Mapping[str, Any], default: str = _NONE) -> Any:
        """One of the given words, as what it stands for."""
        word = self.text(key, default)
        try:
            return choices[word]
        except KeyError:
            near = expected(word, choices)
            raise ProfileError(f"{self.at(key)} cannot be {word!r}; {near}") from None
