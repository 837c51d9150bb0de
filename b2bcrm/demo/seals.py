"""The sealed content of a sent quote, from rows: exactly what ``quotes.queries.content_of`` gives.

Here from rows in bulk, because reading thousands of quotes back to seal them would take minutes;
a test holds the two together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from b2bcrm.demo.scene import Customer, Scene, local_day
from b2bcrm.documents import contents
from b2bcrm.documents.environment import second_of
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.numbering import revision_letter
from b2bcrm.quotes.queries.content import firm

if TYPE_CHECKING:
    from b2bcrm.demo.deals import Deal
    from b2bcrm.demo.rows import Row


def sealed(scene: Scene, deal: Deal, row: Row, lines: list[Row]) -> tuple[dict[str, Any], str]:
    """What the customer saw of this revision, and its digest."""
    customer, locale = deal.customer, row["doc_language"]
    asked_on = deal.asked.received_at.astimezone(HOME_ZONE).date() if deal.asked else None
    content = contents.QuoteContent(
        no=deal.no,
        revision=revision_letter(row["rev"]),
        language=locale,
        issued_on=local_day(row["sent_at"]),
        valid_until=row["valid_until"],
        held_until=row["held_until"],
        inquiry_no=deal.inquiry_no if deal.asked else "",
        inquired_on=asked_on,
        currency=row["currency"],
        firm=firm(customer.company, locale),
        customer=_customer(deal, customer),
        clerk=customer.owner.name,
        lines=tuple(_line(scene, customer, line, locale) for line in lines),
        terms=contents.Terms(
            incoterm=row["incoterm"],
            incoterm_place=row["incoterm_place"],
            payment=row["payment_terms"],
            partial_delivery=customer.account.partial_delivery,
            note=row["note"],
        ),
        total=row["total"],
    )
    data: dict[str, Any] = contents.to_json(content)
    return data, contents.digest_of(data)


def _customer(deal: Deal, customer: Customer) -> contents.Customer:
    account = customer.account
    contact = next((c for c in customer.contacts if c.id == deal.buyer.contact_id), None)
    ship_to = customer.ship_tos.get(deal.ship_to_id or 0)
    return contents.Customer(
        name=account.name,
        address=" ".join(filter(None, (account.address, account.city, account.country))),
        tax_id=account.tax_id,
        contact=contact.name if contact else "",
        contact_role=contact.role if contact else "",
        ship_to=", ".join(filter(None, (ship_to.name, ship_to.street, ship_to.city)))
        if ship_to
        else "",
    )


def _line(scene: Scene, customer: Customer, line: Row, locale: str) -> contents.Line:
    item = scene.items[line["item_id"]]
    name = item.name_in(locale)
    return contents.Line(
        line_no=line["line_no"],
        item_no=item.no,
        name=name,
        name_second=item.name if second_of(locale) and name != item.name else "",
        spec=item.spec,
        customer_part_no=line["customer_part_no"],
        qty=line["qty"],
        unit=line["unit"],
        unit_price=line["list_price"],
        discount_pct=line["discount_pct"],
        net=line["net"],
        wanted_on=line["wanted_on"],
        ready_on=line["promised_on"],
        steps=tuple(
            contents.Step(min_qty=step.min_qty, price=step.unit_price)
            for step in scene.steps(customer, line["item_id"])
        ),
    )
