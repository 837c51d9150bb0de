"""Forms of the account pages: new prospect, edit, ERP number, contacts, part numbers, touches."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from b2bcrm.catalog import queries as catalog
from b2bcrm.customers import actions, linking, queries
from b2bcrm.customers.models import Account
from b2bcrm.customers.schemas import (
    ContactSchema,
    LinkSchema,
    OwnedSchema,
    PartSchema,
    ProspectChangeSchema,
    ProspectSchema,
    TouchSchema,
)
from b2bcrm.desk.links import account_url
from b2bcrm.kernel.actor import STAFF_ROLES, Right
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.errors import Invalid, Refused
from b2bcrm.kernel.words import LOCALES, Message
from b2bcrm.kernel.work import Work
from b2bcrm.users.queries import users_with_roles
from b2bcrm.web.answers import safe_next, see_other
from b2bcrm.web.forms import Form, read_form
from b2bcrm.web.locale import NAMES
from b2bcrm.web.work import in_work

bp = Blueprint("desk_account_acts", __name__, template_folder="templates")

LANGUAGES = [(code, NAMES[code]) for code in LOCALES]
_OWNERS = sorted(role.value for role in STAFF_ROLES)


@bp.get("/accounts/new")
@in_work(read_only=True)
def new(work: Work) -> ResponseReturnValue:
    """An empty form for a prospect."""
    work.actor.must(Right.QUOTE)
    return _prospect_form(work, None)


@bp.post("/accounts/new")
@in_work()
def create(work: Work) -> ResponseReturnValue:
    """A prospect comes to be."""
    form = read_form(ProspectSchema())
    if form.ok:
        with form.catching():
            account = actions.create_prospect(work, **form.data)
            return see_other(account_url(account.id), Message("Prospect created."))
    return _prospect_form(work, form), 422


def _prospect_form(work: Work, form: Form | None) -> str:
    return render_template("desk/account_new.html", form=form, **_choices(work))


def _choices(work: Work) -> dict[str, Any]:
    prices = catalog.price_lists(work.session)
    return {
        "languages": LANGUAGES,
        "price_lists": sorted({name for name, _currency in prices}),
        "currencies": sorted({currency for _name, currency in prices}),
    }


@bp.get("/accounts/<int:account_id>/edit")
@in_work(read_only=True)
def edit(work: Work, account_id: int) -> ResponseReturnValue:
    """What people own of the account; for a prospect, all of it."""
    work.actor.must(Right.QUOTE)
    return _edit_form(work, queries.by_id(work, account_id), None)


@bp.post("/accounts/<int:account_id>/edit")
@in_work()
def save(work: Work, account_id: int) -> ResponseReturnValue:
    """Keep the edited fields."""
    account = queries.by_id(work, account_id)
    form = read_form(OwnedSchema() if account.erp_id else ProspectChangeSchema())
    if form.ok:
        changes = dict(form.data)
        version = changes.pop("version")
        with form.catching():
            actions.change_account(work, account_id, expected_version=version, changes=changes)
            return see_other(account_url(account_id), Message("Saved."))
    return _edit_form(work, account, form), 422


@bp.post("/accounts/<int:account_id>/link")
@in_work()
def link(work: Work, account_id: int) -> ResponseReturnValue:
    """A prospect gets its ERP number."""
    form = read_form(LinkSchema())
    if form.ok:
        try:
            actions.link_to_erp(
                work,
                account_id,
                expected_version=form.data["version"],
                erp_id=form.data["erp_id"],
                take_over=form.data["take_over"],
            )
            return see_other(account_url(account_id), Message("ERP number stored."))
        except Refused as refused:
            form.errors["erp_id"] = refused.message
    return _edit_form(work, queries.by_id(work, account_id), form), 422


def _edit_form(work: Work, account: Account, form: Form | None) -> str:
    owners = users_with_roles(work.session, _OWNERS)
    return render_template(
        "desk/account_edit.html",
        account=account,
        candidates=linking.candidates(work, account.id) if account.erp_id is None else [],
        form=form,
        owners=[(user.id, user.name) for user in owners],
        **_choices(work),
    )


@bp.post("/accounts/<int:account_id>/touches")
@in_work()
def log_touch(work: Work, account_id: int) -> ResponseReturnValue:
    """Keep a call, mail, visit or note."""
    form = read_form(TouchSchema())
    form.raise_if_wrong()
    facts = dict(form.data)
    tie, _colon, row_id = facts.pop("about").partition(":")
    facts["at"] = _instant(work, facts.pop("on"))
    if tie:
        facts[f"{tie}_id"] = int(row_id)
    actions.log_touch(work, account_id, **facts)
    back = safe_next(request.form.get("next", ""), account_url(account_id))
    return see_other(back, Message("Touch logged."))


def _instant(work: Work, on: dt.date | None) -> dt.datetime | None:
    """Noon of an earlier day, now for today: people remember days, not minutes."""
    if on is None or on == work.today:
        return None
    if on > work.today:
        sentence = Message("This is in the future.")
        raise Invalid(sentence, code="touch_future", fields={"on": sentence})
    return dt.datetime.combine(on, dt.time(12), HOME_ZONE).astimezone(dt.UTC)


@bp.post("/accounts/<int:account_id>/contacts")
@in_work()
def add_contact(work: Work, account_id: int) -> ResponseReturnValue:
    """A person whom the ERP does not know."""
    form = read_form(ContactSchema())
    form.raise_if_wrong()
    actions.add_contact(work, account_id, **form.data)
    return see_other(account_url(account_id), Message("Contact added."))


@bp.post("/accounts/<int:account_id>/contacts/<int:contact_id>")
@in_work()
def change_contact(work: Work, account_id: int, contact_id: int) -> ResponseReturnValue:
    """Edit a person."""
    form = read_form(ContactSchema())
    form.raise_if_wrong()
    actions.change_contact(work, account_id, contact_id, changes=form.data)
    return see_other(account_url(account_id), Message("Contact saved."))


@bp.post("/accounts/<int:account_id>/contacts/<int:contact_id>/remove")
@in_work()
def remove_contact(work: Work, account_id: int, contact_id: int) -> ResponseReturnValue:
    """Remove a person whom nothing names."""
    actions.remove_contact(work, account_id, contact_id)
    return see_other(account_url(account_id), Message("Contact removed."))


@bp.post("/accounts/<int:account_id>/parts")
@in_work()
def set_part(work: Work, account_id: int) -> ResponseReturnValue:
    """The customer's own number for an item."""
    form = read_form(PartSchema())
    form.raise_if_wrong()
    item = catalog.item_by_no(work, form.data["item_no"])
    actions.set_customer_part(work, account_id, item_id=item.id, part_no=form.data["part_no"])
    return see_other(account_url(account_id), Message("Part number saved."))
