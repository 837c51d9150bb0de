"""An account that no ERP knows is entered in the one of its company: what is sent, and the wish.

Nothing is sent here: that follows from the fact (``handlers``).
"""

from __future__ import annotations

import sqlalchemy as sa

from b2bcrm.customers import events, queries
from b2bcrm.customers.models import Account, Contact
from b2bcrm.kernel import outbox
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Conflict, Invalid
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.outbox import OVER, Delivery
from b2bcrm.kernel.versions import check_version
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import CustomerDraft
from b2bcrm.sync import breaker, writes
from b2bcrm.sync.connections import of_company
from b2bcrm.sync.writes import Kind, WriteState

PUSH_CUSTOMER = "erp.push_customer"
NEEDED = {
    "name": Message("Company name"),
    "country": Message("Country"),
    "currency": Message("Currency"),
    "payment_terms": Message("Payment terms"),
}
"""What no ERP enters a customer without."""


STOPPED = Message("A person stopped it.")
OPEN = frozenset({WriteState.SENDING, WriteState.UNKNOWN, WriteState.DEFERRED})
"""States of a write that may have got through."""


def reference(account_id: int) -> str:
    """Under which an ERP finds what we entered for the account."""
    return f"ACCOUNT-{account_id}"


def draft(work: Work, account: Account) -> CustomerDraft:
    """The customer as it would be sent now."""
    contact = work.session.scalar(
        sa.select(Contact).where(Contact.account_id == account.id).order_by(Contact.id).limit(1)
    )
    return CustomerDraft(
        reference=reference(account.id),
        company=work.session.get_one(Company, account.company_id).erp_company,
        name=account.name,
        short_name=account.short_name,
        tax_id=account.tax_id,
        country=account.country,
        city=account.city,
        street=account.address,
        language=account.language,
        currency=account.currency,
        price_list=account.price_list,
        payment_terms=account.payment_terms,
        incoterm=account.incoterm,
        incoterm_place=account.incoterm_place,
        contact_name=contact.name if contact else "",
        contact_email=contact.email if contact else "",
    )


def missing(account: Account) -> list[Message]:
    """What is to be filled in first."""
    return [word for name, word in NEEDED.items() if not getattr(account, name)]


def on_its_way(work: Work, account_id: int) -> Delivery | None:
    """The delivery that has not ended: it waits, or a person must look."""
    query = sa.select(Delivery).where(
        Delivery.stream == f"account:{account_id}",
        Delivery.handler == PUSH_CUSTOMER,
        Delivery.state.not_in(OVER),
    )
    return work.session.scalar(query.order_by(Delivery.id).limit(1))


def known_there(work: Work, account: Account, connection: str) -> bool:
    """Whether the account is a customer of that ERP already."""
    rows = queries.erp_customers_of(work, account.id)
    return any(row.connection_code == connection for row in rows)


def send_again(work: Work, account_id: int, *, expected_version: int) -> Account:
    """Try it now, after a person has looked at the reason."""
    account, row = _waiting(work, account_id, expected_version)
    outbox.retry(work.session, row.id, work.tick)
    breaker.try_now(work, row.target)
    return account


def stop(work: Work, account_id: int, *, expected_version: int) -> Account:
    """Send it no more; Conflict where nobody knows whether the ERP has it already."""
    account, row = _waiting(work, account_id, expected_version)
    write = writes.found(
        work.session,
        reference(account.id),
        Kind.CREATE,
        connection=row.target or of_company(work, account.company_id),
    )
    if write is not None and write.state in OPEN:
        raise Conflict(
            Message("The ERP may have it already: find it there and link it."), code="in_doubt"
        )
    outbox.give_up(work.session, row.stream, PUSH_CUSTOMER, STOPPED, work.tick)
    return account


def _waiting(work: Work, account_id: int, expected_version: int) -> tuple[Account, Delivery]:
    work.actor.must(Right.ORDER)
    account = queries.by_id(work, account_id)
    check_version(account, expected_version, now=work.now)
    row = on_its_way(work, account.id)
    if row is None:
        raise Conflict(Message("Nothing of this account waits for the ERP."), code="nothing_waits")
    return account, row


def to_erp(work: Work, account_id: int, *, expected_version: int) -> Account:
    """Let the ERP of the account's company enter it; Conflict where that is done or under way."""
    work.actor.must(Right.ORDER)
    account = queries.by_id(work, account_id)
    check_version(account, expected_version, now=work.now)
    connection = of_company(work, account.company_id)
    if known_there(work, account, connection) or on_its_way(work, account.id) is not None:
        raise Conflict(Message("It is in that ERP already, or on its way."), code="on_its_way")
    if lacking := missing(account):
        text = Message("Fill this in first: %(what)s", what=lacking[0])
        raise Invalid(text, code="incomplete")
    account.changed_at, account.changed_by = work.now, work.actor.name
    work.publish(
        events.AccountToErp(subject_id=account.id, account_id=account.id, connection=connection)
    )
    return account
