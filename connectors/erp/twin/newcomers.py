"""Customers that somebody enters while the twin runs: checks first, then a record and a buyer."""

from __future__ import annotations

from b2bcrm.ports.erp import CustomerDraft, Entity
from connectors.erp.twin.company import COMPANIES, Body
from connectors.erp.twin.documents import Doc
from connectors.erp.twin.people import RATES, Buyer, Person, Site
from connectors.erp.twin.plant import Plant
from connectors.erp.twin.sales import TwinRefusal, check_terms

_LANGUAGES = {"zh-TW": "zh_Hant", "zh-CN": "zh_Hans"}
REFERENCE = "reference"  # under which the sender's number is kept


def check(plant: Plant, draft: CustomerDraft) -> None:
    """Raise ``TwinRefusal`` for the first thing in a draft that cannot be taken."""
    for name in ("name", "country"):
        if not getattr(draft, name):
            raise TwinRefusal("missing_field", f"A customer needs a {name}.", name)
    if draft.company not in {company["code"] for company in COMPANIES}:
        raise TwinRefusal("unknown_company", f"Company {draft.company} does not exist.", "company")
    if draft.currency not in RATES:
        raise TwinRefusal(
            "unknown_currency", f"Currency {draft.currency} is not set up.", "currency"
        )
    check_terms(draft.payment_terms)
    for doc in plant.customers.values():
        if draft.tax_id and (doc.body["tax_id"], doc.body["country"]) == (
            draft.tax_id,
            draft.country,
        ):
            raise TwinRefusal(
                "customer_exists", f"Customer {doc.erp_id} has this tax number.", "tax_id"
            )


def enter(plant: Plant, draft: CustomerDraft) -> Doc:
    """A checked draft as a customer with the next number, one address and no credit yet."""
    no = str(max(int(known) for known in plant.customers) + 1)
    place = {
        "name": draft.name, "street": draft.street, "city": draft.city, "country": draft.country,
        "receiving_days": "1111100", "transit_days": 0,
    }  # fmt: skip
    body: Body = {
        "name": draft.name, "short_name": draft.short_name, "tax_id": draft.tax_id,
        "country": draft.country, "language": _LANGUAGES.get(draft.language, "en"),
        "currency": draft.currency, "price_list": draft.price_list,
        "payment_terms": draft.payment_terms, "incoterm": draft.incoterm,
        "incoterm_place": draft.incoterm_place, "customer_class": "C", "credit_limit": "0",
        "credit_used": "0", "overdue_amount": "0", "credit_hold": False, "partial_delivery": True,
        "sales_rep": "", "ext": {REFERENCE: draft.reference} if draft.reference else {},
        "addresses": [
            place | {"kind": "bill_to", "code": "00"}, place | {"kind": "ship_to", "code": "01"},
        ],
        "contacts": [
            {"name": draft.contact_name, "email": draft.contact_email, "phone": "", "role": ""}
        ] if draft.contact_name else [],
    }  # fmt: skip
    doc = plant.customers[no] = Doc(Entity.CUSTOMER, no, draft.company, body)
    doc.touch(plant.clock)
    return doc


def buyer_of(doc: Doc) -> Buyer:
    """The customer as one who may order; of himself he never does."""
    body = doc.body
    return Buyer(
        no=doc.erp_id, company=doc.company, name=body["name"], short=body["short_name"],
        tax_id=body["tax_id"], country=body["country"], language=body["language"],
        currency=body["currency"], price_list=body["price_list"], terms=body["payment_terms"],
        incoterm=body["incoterm"], place=body["incoterm_place"], rank=body["customer_class"],
        partial=body["partial_delivery"], hold=body["credit_hold"], rep=body["sales_rep"],
        weight=0.0, pays_late=0.0, tastes=(), street=body["addresses"][0]["street"],
        city=body["addresses"][0]["city"],
        sites=tuple(
            Site(a["code"], a["name"], a["street"], a["city"], a["receiving_days"],
                 a["transit_days"])
            for a in body["addresses"] if a["kind"] == "ship_to"
        ),
        people=tuple(
            Person(c["name"], c["role"], c["email"], c["phone"]) for c in body["contacts"]
        ),
    )  # fmt: skip
