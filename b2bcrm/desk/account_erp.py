"""What an account is in the ERPs: its customers there, linking another one, undoing it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from b2bcrm.customers import entering, joining, queries
from b2bcrm.customers.models import Account, ErpCustomer
from b2bcrm.customers.schemas import VersionSchema
from b2bcrm.desk.accounts import CREDIT_WORDS
from b2bcrm.desk.links import account_url
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import CrmError, Refused
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Act, Entity
from b2bcrm.sync.connections import of_company
from b2bcrm.web.answers import see_other
from b2bcrm.web.forms import read_form
from b2bcrm.web.work import in_work, supply

bp = Blueprint("desk_account_erp", __name__, template_folder="templates")

ACTS = {
    "link": (joining.join, Message("ERP customer linked.")),
    "undo": (joining.part, Message("The link is undone.")),
    "main": (joining.make_main, Message("Saved.")),
}
ENTER = {
    "send": (entering.to_erp, Message("It is on its way to the ERP.")),
    "again": (entering.send_again, Message("It will be sent to the ERP again.")),
    "stop": (entering.stop, Message("It is not sent to the ERP any more.")),
}
DRAFT_WORDS: dict[str, Message] = {
    "reference": Message("Our reference"),
    "company": Message("Company of ours"),
    **entering.NEEDED,
    "short_name": Message("Short name"),
    "tax_id": Message("Tax number"),
    "city": Message("City"),
    "street": Message("Address"),
    "language": Message("Language"),
    "price_list": Message("Price list"),
    "incoterm": Message("Incoterm"),
    "incoterm_place": Message("Incoterm place"),
    "contact_name": Message("Contact"),
    "contact_email": Message("E-mail"),
}
NO_REASON = Message("This ERP connection cannot do that.")


@dataclass(frozen=True)
class NewCustomer:
    """What the page says about entering the account in its company's ERP.

    ``obstacle``: why that is not offered; ``waiting``: the delivery that is under way.
    """

    connection: str
    sent: tuple[tuple[Message, str], ...]
    obstacle: Message | None
    waiting: Delivery | None


def new_customer(work: Work, account: Account) -> NewCustomer | None:
    """None where the ERP knows the account."""
    code = of_company(work, account.company_id)
    if entering.known_there(work, account, code):
        return None
    draft = vars(entering.draft(work, account))
    sent = tuple((word, draft[name]) for name, word in DRAFT_WORDS.items())
    return NewCustomer(
        code, sent, _obstacle(work, account, code), entering.on_its_way(work, account.id)
    )


def _obstacle(work: Work, account: Account, code: str) -> Message | None:
    try:
        info = supply("listening")(work, code).describe()
    except CrmError as error:
        return error.message
    if not info.can(Entity.CUSTOMER, Act.CREATE):
        reason = info.capabilities[Entity.CUSTOMER].off.get(Act.CREATE)
        if reason is None:
            return NO_REASON
        return Message("This ERP connection cannot do that: %(reason)s", reason=reason)
    if not work.actor.may(Right.ORDER):
        return Message("Your role does not allow this.")
    if lacking := entering.missing(account):
        return Message("Fill this in first: %(what)s", what=lacking[0])
    return None


@bp.get("/accounts/<int:account_id>/erp")
@in_work(read_only=True)
def page(work: Work, account_id: int) -> ResponseReturnValue:
    """Its ERP customers, and others with the evidence that they are the same company."""
    work.actor.must(Right.QUOTE)
    words = request.args.get("q", "").strip()[:80]
    account = queries.by_id(work, account_id)
    homes: list[ErpCustomer] = list(joining.around(work, account_id)[1])
    return render_template(
        "desk/account_erp.html",
        account=account,
        new=new_customer(work, account),
        customers=queries.erp_customers_of(work, account_id),
        taken_over=homes,
        others={row.id: queries.by_id(work, row.account_id).name for row in homes},
        joinable=joining.joinable(work, account_id, words),
        words=words,
        credit_words=CREDIT_WORDS,
        as_money=Money,
        url=account_url,
    )


@bp.post("/accounts/<int:account_id>/erp/<int:customer_id>/<any(link, undo, main):join_act>")
@in_work()
def act(work: Work, account_id: int, customer_id: int, join_act: str) -> ResponseReturnValue:
    """Link a customer to the account, undo that, or make it the main one."""
    form = read_form(VersionSchema())
    form.raise_if_wrong()
    do, said = ACTS[join_act]
    do(work, account_id, customer_id, expected_version=form.data["version"])
    return see_other(f"{account_url(account_id)}/erp", said)


@bp.post("/accounts/<int:account_id>/erp/new/<any(send, again, stop):step>")
@in_work()
def enter(work: Work, account_id: int, step: str) -> ResponseReturnValue:
    """Enter the account in its company's ERP, try that again, or give it up."""
    form = read_form(VersionSchema())
    form.raise_if_wrong()
    work.actor.must(Right.ORDER)
    account = queries.by_id(work, account_id)
    obstacle = _obstacle(work, account, of_company(work, account.company_id))
    if step == "send" and obstacle is not None:
        raise Refused(obstacle, code="not_offered")
    do, said = ENTER[step]
    do(work, account_id, expected_version=form.data["version"])
    return see_other(f"{account_url(account_id)}/erp", said)
