"""The thirty checks, in the order in which they run: name, sentence, function."""

from __future__ import annotations

from b2bcrm.kernel.words import Message
from connectors.erp.contract import content, entering, listing, promising, standing
from connectors.erp.contract.findings import Check

CHECKS: tuple[Check, ...] = (
    Check(
        "answers",
        Message("The connection answers, lets us in and knows its company."),
        standing.answers,
    ),
    Check("wrong-password", Message("A wrong password is told as such."), standing.wrong_password),
    Check(
        "wrong-company",
        Message("A company that does not exist is noticed."),
        standing.wrong_company,
    ),
    Check(
        "clocks", Message("The ERP's clock and ours agree within five minutes."), standing.clocks
    ),
    Check(
        "wsdl-digest",
        Message("The WSDL's digest is stable and the ERP's is ours."),
        standing.contract_digest,
    ),
    Check(
        "time-limits",
        Message(
            "A silent server is given up in time: a read as unavailable, "
            "a sent order as outcome unknown."
        ),
        standing.time_limits,
    ),
    Check(
        "complete",
        Message("Every list is complete, and each page sends as many rows as it announces."),
        listing.complete,
    ),
    Check(
        "paging",
        Message("Small pages give the same records as large ones, and no key comes twice."),
        listing.paging,
    ),
    Check(
        "single",
        Message("A single record equals the listed one; an unknown key is nothing."),
        listing.single,
    ),
    Check(
        "keys", Message("The list of keys and versions equals the list of records."), listing.keys
    ),
    Check(
        "delta",
        Message("A list since an instant holds all of what changed since, and only that."),
        listing.delta,
    ),
    Check(
        "lookup",
        Message("A record is found by its other keys; a made-up one finds nothing."),
        listing.lookup,
    ),
    Check(
        "identifiers",
        Message("Keys are as the ERP writes them: leading zeros kept, nothing trimmed."),
        content.identifiers,
    ),
    Check("numbers", Message("Quantities and amounts are exact decimals."), content.numbers),
    Check(
        "dates",
        Message("A missing date or text is missing, not 1899 or the word 'null'."),
        content.dates,
    ),
    Check("texts", Message("Texts arrive undamaged."), content.texts),
    Check("parents", Message("What a record refers to exists."), content.parents),
    Check(
        "totals",
        Message("Open and total amounts, shipped quantities and shipments agree."),
        content.totals,
    ),
    Check(
        "operations",
        Message("Progress of named work orders equals the listed one."),
        listing.operations,
    ),
    Check("stock", Message("Stock asked for directly equals the stock list."), listing.stock),
    Check(
        "availability",
        Message("The ERP's own promise is a date not in the past."),
        promising.availability,
    ),
    Check(
        "load",
        Message("As many calls at once as the profile says give equal answers; speed is measured."),
        standing.load,
    ),
    Check("validate", Message("The ERP's dry run enters nothing."), entering.validate, writes=True),
    Check(
        "enter",
        Message(
            "An entered order is found by its reference exactly once, as it was sent, "
            "its price to the last decimal."
        ),
        entering.enter,
        writes=True,
    ),
    Check(
        "repeat",
        Message("A reference that was entered is not entered twice."),
        entering.repeat,
        writes=True,
    ),
    Check(
        "keep-texts",
        Message("Chinese, quotes, brackets, leading zeros and emoji survive or are refused."),
        entering.keep_texts,
        writes=True,
    ),
    Check(
        "refuse",
        Message("A refusal names field or line, and leaves nothing behind."),
        entering.refuse,
        writes=True,
    ),
    Check(
        "change",
        Message("A change changes what was asked for and nothing else."),
        entering.change,
        writes=True,
    ),
    Check(
        "conflict",
        Message("A change based on an old version is refused as a conflict."),
        entering.conflict,
        writes=True,
    ),
    Check(
        "cancel",
        Message("A cancelled order reads as cancelled; an unknown one cannot be cancelled."),
        entering.cancel,
        writes=True,
    ),
)
