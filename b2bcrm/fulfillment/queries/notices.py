"""What the customer is told of a line's new date: shown before, and sent as it was shown."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from b2bcrm.customers.models import Account, Contact
from b2bcrm.documents.environment import known_locale
from b2bcrm.documents.mails import compose
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order
from b2bcrm.ports.mail import Mail


def promise_notice(
    work: Work,
    order: Order,
    line_no: int,
    *,
    promised_on: dt.date,
    previous_on: dt.date | None,
    base_url: str,
) -> Mail | None:
    """The mail to the order's contact, in his language and without our internal reason.

    None if nobody at the customer has an address. ``base_url`` is what its link begins with.
    """
    account = work.session.get_one(Account, order.account_id)
    contact = work.session.scalar(
        sa.select(Contact)
        .where(Contact.account_id == account.id, Contact.email != "")
        .order_by(Contact.id != (order.contact_id or 0), Contact.id)
        .limit(1)
    )
    if contact is None:
        return None
    company = work.session.get_one(Company, order.company_id)
    return compose(
        "promise_moved",
        known_locale(contact.language or account.language),
        to=(contact.email,),
        message_id=(
            f"promise-{order.id}-{line_no}-{promised_on.isoformat()}"
            f"-{(previous_on or promised_on).isoformat()}"
        ),
        reply_to=company.email,
        name=contact.name,
        order_no=order.no,
        customer_po=order.customer_po,
        line_no=line_no,
        promised_on=promised_on,
        previous_on=previous_on,
        url=f"{base_url}/portal/orders/{order.no}",
        firm=company.name,
    )
