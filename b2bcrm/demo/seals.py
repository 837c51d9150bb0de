"""The sealed content of a sent quote, from rows: exactly what ``quotes.queries.content_of`` gives.

Here from rows in bulk, because reading thousands of quotes back to seal them would take minutes;
a test holds the two together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from b2bcrm.demo.scene import Customer, Scene, local_day
from b2bcrm.documents import contents
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.numbering import revision_letter

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
        firm=contents.firm_of(customer.company, locale),
        customer=_customer(deal, customer),
        clerk=customer.owner.name,
        lines=(),
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
    data["lines"] = [_line(scene, customer, line, locale) for line in lines]
    return data, contents.digest_of(data)


def _customer(deal: Deal, customer: Customer) -> contents.Customer:
    account = customer.account
    contact = next((c for c in customer.contacts if c.id == deal.buyer.contact_id), None)
    ship_to = customer.ship_tos.get(deal.ship_to_id or 0)
    return contents.Customer(
        name=account.name,
        address=account.full_address,
        tax_id=account.tax_id,
        contact=contact.name if contact else "",
        contact_role=contact.role if contact else "",
        ship_to=ship_to.full_address if ship_to else "",
    )


def _line(scene: Scene, customer: Customer, line: Row, locale: str) -> dict[str, Any]:
    """A ``contents.Line`` as JSON; what is the same for every quote of an item is kept."""
    account = customer.account
    key = (account.price_list, account.currency, locale, line["item_id"])
    same = scene.kept_lines.get(key)
    if same is None:
        same = scene.kept_lines[key] = _same(scene, customer, line["item_id"], locale)
    number = contents.plain_number
    ready_on = line["promised_on"]
    return same | {
        "line_no": line["line_no"],
        "customer_part_no": line["customer_part_no"],
        "qty": number(line["qty"]),
        "unit": line["unit"],
        "unit_price": number(line["list_price"]),
        "discount_pct": number(line["discount_pct"]),
        "net": number(line["net"]),
        "wanted_on": line["wanted_on"].isoformat(),
        "ready_on": ready_on.isoformat() if ready_on else None,
    }


def _same(scene: Scene, customer: Customer, item_id: int, locale: str) -> dict[str, Any]:
    item = scene.items[item_id]
    name = item.name_in(locale)
    steps = tuple(
        contents.Step(min_qty=step.min_qty, price=step.unit_price)
        for step in scene.steps(customer, item_id)
    )
    return {
        "item_no": item.no,
        "name": name,
        "name_second": contents.second_name(name, item.name, locale),
        "spec": item.spec,
        "steps": contents.to_json(steps),
    }
