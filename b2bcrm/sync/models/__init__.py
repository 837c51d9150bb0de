"""What the sync engine remembers, all in the database so that any worker can go on."""

from __future__ import annotations

from b2bcrm.sync.models.connections import ErpConnection, GatePlace, GateState, Writes
from b2bcrm.sync.models.feeds import Feed, ParkedRow, RunKind, RunOutcome, SyncRun
from b2bcrm.sync.models.findings import (
    DriftNotice,
    DriftReport,
    GuardState,
    GuardStop,
    QuarantinedRow,
    Threat,
    UnknownElement,
)
from b2bcrm.sync.models.refs import ErpRef, ErpRefChange
from b2bcrm.sync.models.traffic import Envelope, JobSlot

__all__ = [
    "DriftNotice",
    "DriftReport",
    "Envelope",
    "ErpConnection",
    "ErpRef",
    "ErpRefChange",
    "Feed",
    "GatePlace",
    "GateState",
    "GuardState",
    "GuardStop",
    "JobSlot",
    "ParkedRow",
    "QuarantinedRow",
    "RunKind",
    "RunOutcome",
    "SyncRun",
    "Threat",
    "UnknownElement",
    "Writes",
]
