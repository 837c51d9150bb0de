"""What an account is in the ERPs: its customers there, linking another one, undoing it."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from b2bcrm.customers import joining, queries
from b2bcrm.customers.models import ErpCustomer
from b2bcrm.customers.schemas import VersionSchema
from b2bcrm.desk.accounts import CREDIT_WORDS
from b2bcrm.desk.links import account_url
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.web.answers import see_other
from b2bcrm.web.forms import read_form
from b2bcrm.web.work import in_work

bp = Blueprint("desk_account_erp", __name__, template_folder="templates")

ACTS = {
    "link": (joining.join, Message("ERP customer linked.")),
    "undo": (joining.part, Message("The link is undone.")),
    "main": (joining.make_main, Message("Saved.")),
}


@bp.get("/accounts/<int:account_id>/erp")
@in_work(read_only=True)
def page(work: Work, account_id: int) -> ResponseReturnValue:
    """Its ERP customers, and others with the evidence that they are the same company."""
    work.actor.must(Right.QUOTE)
    words = request.args.get("q", "").strip()[:80]
    homes: list[ErpCustomer] = list(joining.around(work, account_id)[1])
    return render_template(
        "desk/account_erp.html",
        account=queries.by_id(work, account_id),
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
