"""What follows from each fact: event -> handlers. The third file of the tour.

Each pair becomes a delivery row of its own in the outbox, written with the fact itself. A test
holds that every event and handler named here exists.
"""

from __future__ import annotations

ROUTES: dict[str, tuple[str, ...]] = {
    "inquiry.received": ("mail.sales_owner",),
    "quote.sent": ("mail.quote",),
    "quote.accepted": ("mail.sales_owner",),
    "quote.lost": ("mail.sales_owner",),
    "order.confirmed": ("erp.push_order", "mail.order_confirmed"),
    "order.amended": ("erp.push_order", "mail.order_confirmed"),
    "order.in_care": ("mail.in_care",),
    "order.repromised": ("erp.push_order",),
    "order.sent_back": ("erp.push_order",),
    "order.cancelled": ("erp.push_order",),
    "account.to_erp": ("erp.push_customer",),
    "account.linked": ("orders.resume_pushes",),
    "account.erp_customer_linked": ("orders.resume_pushes",),
    "connection.changed": ("orders.resume_pushes",),
    "promise.moved": ("mail.promise_moved",),
    "promise.answered": ("mail.promise_answered",),
    "promise.answer_settled": ("mail.answer_settled",),
    "promise.asked": ("mail.approvers",),
    "promise.decided": ("mail.asker",),
    "scenario.proposed": ("mail.planners",),
    "morning.came": ("mail.morning",),
    "case.opened": ("mail.case_opened",),
    "case.answered": ("mail.case_answer",),
    "case.solved": ("mail.case_solved",),
    "feed.stale": ("mail.erp_admins",),
    "feed.guard_asked": ("mail.erp_admins",),
    "user.reset_asked": ("users.mail_reset",),
}
