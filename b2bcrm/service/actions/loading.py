"""What every act on a case begins and ends with: load, check the version, leave a trace."""

from __future__ import annotations

from typing import TypedDict

from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.versions import check_version
from b2bcrm.kernel.work import Work
from b2bcrm.service import lifecycle, queries
from b2bcrm.service.models import Case


class Facts(TypedDict):
    """What every event of a case says."""

    subject_id: int
    account_id: int
    order_id: int | None
    no: str


def load(work: Work, case_id: int, expected_version: int | None) -> Case:
    """The case to act on; StaleVersion says who changed it meanwhile and when."""
    case = queries.by_id(work, case_id)
    check_version(case, expected_version, now=work.now)
    return case


def touch(work: Work, case: Case) -> None:
    """Remember who changed it last, for the next person's 409."""
    case.changed_at, case.changed_by = work.now, work.actor.name


def side(work: Work) -> str:
    """Which column of the lifecycle's table the actor stands in."""
    if work.actor.is_portal:
        return lifecycle.C
    return lifecycle.Y if work.actor.role is Role.SYSTEM else lifecycle.S


def facts(case: Case) -> Facts:
    """The fields that every event of this case carries."""
    return {
        "subject_id": case.id,
        "account_id": case.account_id,
        "order_id": case.order_id,
        "no": case.no,
    }
