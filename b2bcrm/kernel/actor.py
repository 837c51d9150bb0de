"""Who acts: a signed-in person, a customer's buyer, or the system itself; and their rights.

One value passed along in the Work. Roles and rights are a table here, so that a page, an API
call and a job ask the same question.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from b2bcrm.kernel.errors import NotAllowed
from b2bcrm.kernel.words import Message


class Role(enum.StrEnum):
    """Staff roles first, the portal's two last."""

    SALES = "sales"
    SALES_MANAGER = "sales_manager"
    PLANNER = "planner"
    ENGINEER = "engineer"
    QUALITY = "quality"
    SERVICE = "service"
    SUPERVISOR = "supervisor"
    ERP_ADMIN = "erp_admin"
    ADMIN = "admin"
    BUYER = "buyer"
    BUYER_ADMIN = "buyer_admin"
    SYSTEM = "system"


PORTAL_ROLES = frozenset({Role.BUYER, Role.BUYER_ADMIN})
STAFF_ROLES = frozenset(set(Role) - PORTAL_ROLES - {Role.SYSTEM})


class Right(enum.StrEnum):
    """What a role may do beyond seeing."""

    QUOTE = "quote"
    ORDER = "order"
    CHANGE_PROMISE = "change_promise"
    APPROVE_PROMISE = "approve_promise"
    SEE_COST = "see_cost"
    SERVE = "serve"
    OPERATE_ERP = "operate_erp"
    MANAGE_USERS = "manage_users"


_ALL = frozenset(Right)
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.SALES: frozenset({Right.QUOTE, Right.ORDER, Right.SEE_COST, Right.SERVE}),
    Role.SALES_MANAGER: frozenset(
        {
            Right.QUOTE,
            Right.ORDER,
            Right.SEE_COST,
            Right.CHANGE_PROMISE,
            Right.APPROVE_PROMISE,
            Right.SERVE,
        }
    ),
    Role.PLANNER: frozenset({Right.CHANGE_PROMISE, Right.ORDER}),
    Role.ENGINEER: frozenset(),
    Role.QUALITY: frozenset({Right.SERVE}),
    Role.SERVICE: frozenset({Right.SERVE}),
    Role.SUPERVISOR: frozenset({Right.SERVE}),
    Role.ERP_ADMIN: frozenset({Right.OPERATE_ERP}),
    Role.ADMIN: _ALL,
    Role.BUYER: frozenset(),
    Role.BUYER_ADMIN: frozenset(),
    Role.SYSTEM: _ALL,
}


@dataclass(frozen=True)
class Actor:
    """``user_id`` is None for the system; ``account_id`` is set only for portal users."""

    name: str
    role: Role
    user_id: int | None = None
    account_id: int | None = None
    locale: str = "en"

    @property
    def is_portal(self) -> bool:
        """Whether this is a customer's person, who sees one account only."""
        return self.role in PORTAL_ROLES

    def may(self, right: Right) -> bool:
        """Whether the role carries ``right``."""
        return right in RIGHTS[self.role]

    def must(self, right: Right) -> None:
        """Raise NotAllowed unless the role carries ``right``."""
        if not self.may(right):
            raise NotAllowed(Message("Your role does not allow this."))


SYSTEM = Actor(name="system", role=Role.SYSTEM)
