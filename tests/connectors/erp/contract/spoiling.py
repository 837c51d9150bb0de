"""Connections that break one promise each: what a check must notice. Built around the twin."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import (
    Available,
    Entity,
    ErpConflict,
    ErpOutcomeUnknown,
    ErpRefused,
    ErpUnavailable,
    Issue,
)

put = dataclasses.replace


class Spoiled:
    """A gateway that does what ``acts`` say and else what the good one does."""

    def __init__(self, good, acts, connection=None) -> None:
        self._good = good
        self.connection = connection
        self._acts = acts

    def __getattr__(self, name):
        act = self._acts.get(name)
        good = getattr(self._good, name)
        return good if act is None else lambda *a, **k: act(self, good, *a, **k)


def on_records(change):
    """Lists whose records are changed on the way."""

    def act(_gateway, good, entity, **how):
        page = good(entity, **how)
        return put(page, records=[change(entity, r) for r in page.records])

    return {"list": act}


def on_line(**changes):
    """Lists whose order lines have other values in a field."""

    def change(entity, record):
        if entity is not Entity.SALES_ORDER:
            return record
        return put(record, lines=tuple(put(line, **changes) for line in record.lines))

    return on_records(change)


def health(**changes):
    return {"check": lambda _g, good: put(good(), **changes)}


def page(change):
    return {"list": lambda _g, good, entity, **how: change(good(entity, **how), how)}


def info(**changes):
    return {"describe": lambda _g, good: put(good(), **changes)}


def first_only(_gateway, good, entity, **how):
    """Pages after the first are lost when the pages are small."""
    found = good(entity, **how)
    return put(found, next_cursor=None) if how["page_size"] < 200 else found


def doubling(_gateway, good, entity, **how):
    found = good(entity, **how)
    return put(found, records=[*found.records[:1], *found.records], announced=None)


def without_password(gateway, good, entity, **how):
    if gateway.connection.secret == "open":
        return good(entity, **how)
    raise ErpUnavailable(Message("The ERP did not answer in time."))


def any_company(gateway, good):
    return put(good(), ok=True) if gateway.connection.company != "FPD-TW" else good()


def refused_when_silent(gateway, good, draft):
    """A lost answer that is told as a refusal: somebody would send the order again."""
    if "127.0.0.1" not in gateway.connection.base_url:
        return good(draft)
    raise ErpRefused(Message("The ERP says no."))


def unavailable_when_silent(gateway, good, draft):
    """A lost answer that is told as if nothing had been sent: it would be sent again unlooked."""
    try:
        return good(draft)
    except ErpOutcomeUnknown as error:
        raise ErpUnavailable(Message("The ERP did not answer in time.")) from error


def since_ignored(_gateway, good, entity, **how):
    return good(entity, **(how | {"since": None}))


def since_too_late(_gateway, good, entity, **how):
    since = how.get("since")
    return good(entity, **(how | {"since": since and since + dt.timedelta(days=2)}))


def future_mark(found, _how):
    return put(found, high_watermark=found.high_watermark + dt.timedelta(days=1))


class Alternating:
    """Equal calls that get different answers when they come at once."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, _gateway, good, entity, **how):
        found = good(entity, **how)
        if how.get("page_size") != 50:
            return found
        self.calls += 1
        return put(found, records=found.records[self.calls % 2 :])


def entered_by_validate(gateway, _good, draft):
    with contextlib.suppress(ErpRefused):
        gateway.create(draft)
        return []
    return [Issue("x", "no such item")]


def nothing_to_object(_gateway, _good, _draft):
    return []


def rounding(_gateway, good, draft):
    lines = tuple(put(x, unit_price=round(x.unit_price, 2)) for x in draft.lines)
    return good(put(draft, lines=lines))


def no_line_map(_gateway, good, draft):
    return put(good(draft), line_map={})


def twice(_gateway, good, draft):
    """The second sending of a reference enters another order."""
    try:
        return good(draft)
    except ErpRefused as error:
        if error.issues and error.issues[0].field == "reference":
            return good(put(draft, reference=draft.reference.replace("CERT", "CERT-2")))
        raise


def ascii_only(_gateway, good, draft):
    return good(put(draft, customer_po=draft.customer_po.encode("ascii", "replace").decode()))


def refused_in_general(_gateway, good, draft):
    try:
        return good(draft)
    except ErpRefused as error:
        raise ErpRefused(error.message, issues=(Issue("", "general error"),)) from error


def half_entered(gateway, good, draft):
    """A refusal that leaves the good lines behind."""
    try:
        return good(draft)
    except ErpRefused as error:
        if error.issues[0].field == "item":
            good(put(draft, lines=draft.lines[:1]))
        raise


def change_drops_a_line(_gateway, good, erp_id, draft, **how):
    return good(erp_id, put(draft, lines=draft.lines[:1]), **how)


def change_ignored(gateway, good, erp_id, draft, **how):
    kept = gateway.get(Entity.SALES_ORDER, erp_id)
    lines = tuple(put(x, qty=kept.lines[i].qty) for i, x in enumerate(draft.lines))
    return good(erp_id, put(draft, lines=lines), **how)


def overwriting(_gateway, good, erp_id, draft, **how):
    return good(erp_id, draft, **(how | {"expected_version": ""}))


def conflict_as_refusal(_gateway, good, erp_id, draft, **how):
    try:
        return good(erp_id, draft, **how)
    except ErpConflict as error:
        raise ErpRefused(error.message) from error


def cancel_ignored(gateway, good, erp_id, **how):
    if erp_id.startswith("CRM"):
        return good(erp_id, **how)
    return gateway.get(Entity.SALES_ORDER, erp_id)


def cancels_anything(_gateway, good, erp_id, **how):
    return None if erp_id.startswith("CRM") else good(erp_id, **how)


def zeros_stripped(_gateway, good, entity, erp_id):
    return good(entity, erp_id.lstrip("0"))


def stale_stock(gateway, _good, items, site=""):
    del site
    rows = gateway.list(Entity.STOCK, page_size=500).records
    return [put(r, on_hand=r.on_hand + 1) for r in rows if r.item in items]


def true_stock(gateway, _good, items, site=""):
    del site
    return [r for r in gateway.list(Entity.STOCK, page_size=500).records if r.item in items]


def promise(day, more=None):
    def act(_gateway, _good, _item, _site, qty, _on):
        on = (more or day) if qty > 1 else day
        return Available(qty, on, on)

    return {"availability": act}


def anything_found(gateway, good, entity, field, value):
    return good(entity, field, value) or gateway.list(entity, page_size=1).records


def nothing_found(_gateway, good, _entity, _field, _value):
    del good
    return []


def made_up_progress(_gateway, good, ids):
    return dict.fromkeys(ids, ()) | dict(good(ids))


def late_progress(_gateway, good, ids):
    return {no: steps[:-1] for no, steps in good(ids).items()}


def more_open(entity, record):
    return put(record, open_amount=record.total * 2) if entity is Entity.INVOICE else record


def objecting(_gateway, _good, draft):
    return [Issue("x", x.item, "item", x.line_no) for x in draft.lines if "NO-SUCH" in x.item]


def never_cancelling(_gateway, _good, _erp_id, **_how):
    raise ErpRefused(Message("The ERP says no."))
