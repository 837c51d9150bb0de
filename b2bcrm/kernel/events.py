"""The base of all events: facts in the past tense, published once through ``Work.publish``.

An event names its subject (what happened to which record) and, where it concerns a customer,
the account, so that one timeline can be shown for an order or for an account.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from b2bcrm.kernel.words import Message


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact. Subclasses set ``name`` (``order.confirmed``) and add plain fields.

    ``account_id`` is the customer concerned; ``order_id`` puts the fact on that order's line.
    """

    name: ClassVar[str]
    subject: ClassVar[str]  # kind of the record that subject_id names: order, quote, case ...
    subject_id: int
    account_id: int | None = None
    order_id: int | None = None

    def sentence(self) -> Message:
        """What a person reads on the timeline."""
        raise AssertionError(f"{type(self).__name__} has no sentence")

    def portal_sentence(self) -> Message | None:
        """What the customer reads; None keeps the fact internal (the default)."""
        return None

    def to_json(self) -> dict[str, Any]:
        """Ids and facts for the outbox row; never objects."""
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> typing.Self:
        """The inverse of ``to_json``; unknown keys of newer rows are left out."""
        hints = typing.get_type_hints(cls)
        known = {f.name for f in dataclasses.fields(cls)}
        return cls(**{k: _typed(v, hints[k]) for k, v in data.items() if k in known})


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return value.to_json()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _typed(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    kinds = typing.get_args(hint) or (hint,)
    if Message in kinds:
        return Message.from_json(value)
    if Decimal in kinds:
        return Decimal(value)
    if dt.datetime in kinds:
        return dt.datetime.fromisoformat(value)
    if dt.date in kinds:
        return dt.date.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value
