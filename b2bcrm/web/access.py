"""Which role may open which route: one table for all pages, and the gate that obeys it.

A route that is not in the table does not exist for anybody (404), and a test names it. A
portal user at a staff route gets 404 as well: he need not learn that it is there.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from b2bcrm.kernel.actor import PORTAL_ROLES, RIGHTS, STAFF_ROLES, Right, Role
from b2bcrm.kernel.errors import NotAllowed, NotFound
from b2bcrm.kernel.words import Message
from b2bcrm.web import auth

Roles = frozenset[Role]

ANYONE: Roles = frozenset()
"""No sign-in is needed."""
STAFF: Roles = STAFF_ROLES
PORTAL: Roles = PORTAL_ROLES
SIGNED_IN: Roles = STAFF_ROLES | PORTAL_ROLES
SALES: Roles = frozenset({Role.SALES, Role.SALES_MANAGER, Role.ADMIN})
MANAGERS: Roles = frozenset({Role.SALES_MANAGER, Role.ADMIN})
ERP_DESK: Roles = frozenset({Role.ERP_ADMIN, Role.ADMIN})
APPROVING: Roles = frozenset(role for role in STAFF_ROLES if Right.APPROVE_PROMISE in RIGHTS[role])
PROMISING: Roles = frozenset(role for role in STAFF_ROLES if Right.CHANGE_PROMISE in RIGHTS[role])
SERVING: Roles = frozenset(role for role in STAFF_ROLES if Right.SERVE in RIGHTS[role])

# Grouped by blueprint, each group in alphabetical order; add your route to its group.
ACCESS: Mapping[str, Roles] = {
    # the frame itself
    "home": SIGNED_IN,
    "api-docs.openapi_json": ANYONE,
    "health": ANYONE,
    "static": ANYONE,
    # api: the token's scopes narrow what its owner's role allows
    "api_erp.confirmations": ERP_DESK,
    "api_orders.amend": SALES,
    "api_orders.cancel": SALES,
    "api_orders.confirm": SALES,
    "api_orders.hold": SALES,
    "api_orders.order": SIGNED_IN,
    "api_orders.orders": SIGNED_IN,
    "api_orders.release": SALES,
    "api_quotes.accept": SALES | PORTAL,
    "api_quotes.create": SALES,
    "api_quotes.lose": SALES,
    "api_quotes.quote": SIGNED_IN,
    "api_quotes.quotes": SIGNED_IN,
    "api_quotes.send": SALES,
    # desk
    "desk_fulfillment.morning_report": STAFF,
    "desk_fulfillment.page": STAFF,
    "desk_fulfillment_lines.page": STAFF,
    "desk_fulfillment_views.forget": STAFF,
    "desk_fulfillment_views.save": STAFF,
    "desk_impact.page": STAFF,
    "desk_proposals.decide": PROMISING,
    "desk_proposals.one": STAFF,
    "desk_proposals.page": STAFF,
    "desk_whatif.compare": STAFF,
    "desk_whatif.forget": PROMISING,
    "desk_whatif.page": STAFF,
    "desk_whatif.panel": STAFF,
    "desk_whatif.prices": PROMISING,
    "desk_whatif.propose_changes": PROMISING,
    "desk_whatif.save": PROMISING,
    "desk_whatif.saved": STAFF,
    "desk_fulfillment.version": STAFF,
    "desk_account_acts.add_contact": STAFF,
    "desk_account_acts.change_contact": STAFF,
    "desk_account_acts.create": SALES,
    "desk_account_acts.edit": SALES,
    "desk_account_acts.link": SALES,
    "desk_account_acts.log_touch": STAFF,
    "desk_account_acts.new": SALES,
    "desk_account_acts.remove_contact": STAFF,
    "desk_account_acts.save": SALES,
    "desk_account_acts.set_part": SALES,
    "desk_account_erp.act": SALES,
    "desk_account_erp.enter": SALES,
    "desk_account_erp.page": SALES,
    "desk_accounts.account": STAFF,
    "desk_accounts.accounts": STAFF,
    "desk_items.allocate_item": PROMISING,
    "desk_items.end_item_allocation": PROMISING,
    "desk_items.item": STAFF,
    "desk_items.items": STAFF,
    "desk_planning.cell": STAFF,
    "desk_planning.overview": STAFF,
    "desk_planning.targets": MANAGERS,
    "desk_sureness.page": STAFF,
    "desk_planning.targets_save": MANAGERS,
    "desk_search.results": STAFF,
    "desk_search.suggest": STAFF,
    "desk_files.download": STAFF,
    "desk_service.answer": SERVING,
    "desk_service.case_page": STAFF,
    "desk_service.cases": STAFF,
    "desk_service.close": SERVING,
    "desk_service.hand_over": SERVING,
    "desk_service.new_case": SERVING,
    "desk_service.note": STAFF,
    "desk_service.open_case": SERVING,
    "desk_service.reopen": SERVING,
    "desk_service.solve": SERVING,
    "desk_service.take": SERVING,
    "desk_service.version": STAFF,
    "demo.catalogue": ANYONE,
    "demo.logins": ANYONE,
    "demo.mail_attachment": ANYONE,
    "demo.mail_body": ANYONE,
    "demo.mail_list": ANYONE,
    "demo.mail_one": ANYONE,
    # fulfillment
    "fulfillment.care_change": PROMISING,
    "fulfillment.care_form": PROMISING,
    "fulfillment.firm_form": PROMISING,
    "fulfillment.firm_release": PROMISING,
    "fulfillment.firm_supply": PROMISING,
    "fulfillment.notice_answer": PORTAL,
    "fulfillment.notice_settled": PROMISING,
    "fulfillment.notice_talk": PORTAL,
    "fulfillment.promise_change": PROMISING,
    "fulfillment.promise_decide": APPROVING,
    "fulfillment.promise_decline": APPROVING,
    "fulfillment.promise_form": PROMISING,
    "fulfillment.promise_notice": PROMISING,
    "fulfillment.receipt": PORTAL,
    "desk_inquiries.create": SALES,
    "desk_inquiries.decline": SALES,
    "desk_inquiries.inquiry": STAFF,
    "desk_inquiries.new": SALES,
    "desk_inquiries.page": STAFF,
    "desk_inquiries.quote": SALES,
    "desk_quote_editor.add_line": SALES,
    "desk_quote_editor.document": STAFF,
    "desk_quote_editor.items": SALES,
    "desk_quote_editor.page": STAFF,
    "desk_quote_editor.paste": SALES,
    "desk_quote_editor.refresh": SALES,
    "desk_quote_editor.remove_line": SALES,
    "desk_quote_editor.set_line": SALES,
    "desk_quote_editor.terms": SALES,
    "desk_quotes.accept": SALES,
    "desk_quotes.create": SALES,
    "desk_quotes.lost": SALES,
    "desk_quotes.new": SALES,
    "desk_quotes.page": STAFF,
    "desk_quotes.revise": SALES,
    "desk_quotes.send": SALES,
    # portal
    "portal_inquiries.create": PORTAL,
    "portal_inquiries.inquiries": PORTAL,
    "portal_inquiries.inquiry": PORTAL,
    "portal_inquiries.new": PORTAL,
    "portal_quotes.accept": PORTAL,
    "portal_quotes.decline": PORTAL,
    "portal_quotes.document": PORTAL,
    "portal_quotes.quote": PORTAL,
    "portal_quotes.quotes": PORTAL,
    "portal_cases.case_page": PORTAL,
    "portal_cases.cases": PORTAL,
    "portal_cases.confirm": PORTAL,
    "portal_cases.new_case": PORTAL,
    "portal_cases.open_case": PORTAL,
    "portal_cases.reopen": PORTAL,
    "portal_cases.version": PORTAL,
    "portal_cases.write": PORTAL,
    "portal_documents.documents": PORTAL,
    "portal_documents.download": PORTAL,
    # desk: orders and the ERP monitor
    "erp.exchange": ERP_DESK,
    "erp.held_back": STAFF,
    "erp_connections.new": ERP_DESK,
    "erp_connections.notices": ERP_DESK,
    "erp_connections.notices_off": ERP_DESK,
    "erp_connections.one": ERP_DESK,
    "erp_connections.page": ERP_DESK,
    "erp_connections.preview": ERP_DESK,
    "erp_connections.save": ERP_DESK,
    "erp_connections.quiet": ERP_DESK,
    "erp_connections.try_now": ERP_DESK,
    "erp_connections.writes": ERP_DESK,
    "erp_feed.act": ERP_DESK,
    "erp_feed.close_notice": ERP_DESK,
    "erp_feed.decide": ERP_DESK,
    "erp_feed.held": ERP_DESK,
    "erp_feed.limits": ERP_DESK,
    "erp_feed.page": STAFF,
    "erp_feed.record": ERP_DESK,
    "erp_feed.version": STAFF,
    "erp.page": STAFF,
    "erp.pull": ERP_DESK,
    "erp.pull_all": ERP_DESK,
    "erp.retry": ERP_DESK,
    "erp.run": STAFF,
    "erp.version": STAFF,
    "order.page": STAFF,
    "order.version": STAFF,
    "order_list.page": STAFF,
    # orders
    "orders.act_form": STAFF,
    "orders.act_send": STAFF,
    "orders.amend_form": STAFF,
    "orders.amend_send": STAFF,
    "orders.difference_send": STAFF,
    "orders.differences": STAFF,
    "orders.policy_form": STAFF,
    "orders.policy_send": STAFF,
    "orders.revisions": STAFF,
    # portal_orders
    "portal_orders.listing": PORTAL,
    "portal_orders.page": PORTAL,
    "portal_orders.version": PORTAL,
    # users
    "users.api_token_create": SIGNED_IN,
    "users.api_token_revoke": SIGNED_IN,
    "users.forgot": ANYONE,
    "users.forgot_send": ANYONE,
    "users.language": ANYONE,
    "users.login": ANYONE,
    "users.login_send": ANYONE,
    "users.logout": ANYONE,
    "users.password": SIGNED_IN,
    "users.profile": SIGNED_IN,
    "users.profile_save": SIGNED_IN,
    "users.reset": ANYONE,
    "users.reset_send": ANYONE,
    "users.session_revoke": SIGNED_IN,
    "users.theme": SIGNED_IN,
}


def allows(endpoint: str, role: Role) -> bool:
    """Whether ``role`` may open ``endpoint``; False for an endpoint that is not in the table."""
    roles = ACCESS.get(endpoint)
    return roles is not None and (roles == ANYONE or role in roles)


def _gate() -> ResponseReturnValue | None:
    endpoint = request.endpoint
    if endpoint in {None, "static"}:
        return None
    roles = ACCESS.get(endpoint or "")
    if roles is None:
        raise NotFound(Message("This page does not exist."))
    if roles == ANYONE:
        return None
    signed_in = auth.current()
    if signed_in is None:
        return _ask_to_sign_in()
    if signed_in.actor.role in roles:
        return None
    if signed_in.actor.is_portal:
        raise NotFound(Message("This page does not exist."))
    raise NotAllowed(Message("Your role does not allow this."))


def _ask_to_sign_in() -> ResponseReturnValue:
    if request.path.startswith(auth.API_PREFIX):
        abort(401)
    here = request.full_path.rstrip("?") if request.method == "GET" else ""
    target = url_for("users.login", next=here or None)
    if request.headers.get("HX-Request"):
        return "", 401, {"HX-Redirect": url_for("users.login")}
    return redirect(target, 303)


def init_app(app: Flask) -> None:
    """Put the gate in front of every route."""
    app.before_request(_gate)
