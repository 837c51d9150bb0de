"""What leaves the catalogue: a sales target was set. Items and prices are the ERP's facts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from b2bcrm.kernel.events import Event
from b2bcrm.kernel.words import Message


@dataclass(frozen=True, kw_only=True)
class TargetSet(Event):
    """``amount`` is in base currency; ``month`` is the first day of the month."""

    name: ClassVar[str] = "target.set"
    subject: ClassVar[str] = "target"
    month: dt.date
    family: str
    amount: Decimal

    def sentence(self) -> Message:
        """What a person reads on the timeline."""
        return Message(
            "Target of %(family)s for %(month)s set to %(amount)s",
            family=self.family,
            month=f"{self.month:%Y-%m}",
            amount=self.amount,
        )
