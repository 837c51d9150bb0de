"""What follows from an order's facts outside: the push to the ERP, the acknowledgement."""

from __future__ import annotations

from b2bcrm.orders.handlers.acknowledge import MailAcknowledgement
from b2bcrm.orders.handlers.push import Erps, PushOrder
from b2bcrm.orders.handlers.resume import ResumePushes

__all__ = ["Erps", "MailAcknowledgement", "PushOrder", "ResumePushes"]
