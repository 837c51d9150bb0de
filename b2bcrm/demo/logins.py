"""Who can sign in to the demo: our people and some of the customers'. One password for all."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.customers.models import Account, Contact
from b2bcrm.desk.demo import DEMO_PASSWORD
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.work import Work
from b2bcrm.users.models import User
from b2bcrm.users.passwords import Passwords

PASSWORD = DEMO_PASSWORD
_HOUSE = "formosa.example"


@dataclass(frozen=True)
class _Person:
    name: str
    role: Role
    title: str
    extension: str
    locale: str = "en"
    shown: str = ""

    @property
    def email(self) -> str:
        return f"{self.name.lower().replace(' ', '.')}@{_HOUSE}"


_STAFF = (
    _Person("Mei-Ling Lin", Role.SALES, "Sales", "216", shown="sales"),
    _Person("Huang Chih-Wei", Role.SALES, "Sales", "218", "zh_Hant"),
    _Person("Sophie Tan", Role.SALES, "Sales", "219"),
    _Person("Wang Lei", Role.SALES, "Sales, Suzhou", "616", "zh_Hans"),
    _Person("Grace Wu", Role.SALES_MANAGER, "Head of sales", "201", shown="sales manager"),
    _Person("Chen Wei-Ting", Role.PLANNER, "Planner", "330", shown="planner"),
    _Person("Hsu Jia-Hao", Role.SERVICE, "Service", "451", shown="service"),
    _Person("Chang Pei-Yu", Role.SERVICE, "Service", "452", "zh_Hant"),
    _Person("Lee Kuan-Yu", Role.SUPERVISOR, "Field service", "453"),
    _Person("Tsai Yi-Chun", Role.QUALITY, "Quality", "470", "zh_Hant"),
    _Person("Kao Ming-Te", Role.ERP_ADMIN, "ERP", "800", shown="ERP administrator"),
    _Person("Admin", Role.ADMIN, "Administrator", "801", shown="administrator"),
)
SERVICE = ("Hsu Jia-Hao", "Chang Pei-Yu")
QUALITY = "Tsai Yi-Chun"
PLANNER = "Chen Wei-Ting"


@dataclass(frozen=True)
class _Buyer:
    """``customer`` is the ERP's number; name and address are the ERP contact's."""

    customer: str
    name: str
    email: str
    company: str
    role: Role = Role.BUYER
    locale: str = "en"
    shown: bool = True


_BUYERS = (
    _Buyer(
        "20417",
        "Jonas Kessler",
        "kessler@customer-20417.example",
        "Brandt & Kessler",
        Role.BUYER_ADMIN,
    ),
    _Buyer(
        "20417", "Timo Maurer", "maurer@customer-20417.example", "Brandt & Kessler", shown=False
    ),
    _Buyer("10455", "陳建宏", "purchasing@customer-10455.example", "啟業工具機", locale="zh_Hant"),
    _Buyer("30477", "赵明", "purchasing@customer-30477.example", "苏州澄衡", locale="zh_Hans"),
    _Buyer("20463", "Dana Whitfield", "whitfield@customer-20463.example", "Northfork Packaging"),
)


def shown_logins() -> list[tuple[str, str]]:
    """(address, who) of the logins that ``./crm up`` and the demo's sign-in page name."""
    staff = [(p.email, f"{p.name}, {p.shown}") for p in _STAFF if p.shown]
    return staff + [(b.email, f"{b.name}, buyer at {b.company}") for b in _BUYERS if b.shown]


def create_logins(work: Work) -> None:
    """Users for our people and for the contacts in ``_BUYERS`` that the ERP knows."""
    session = work.session
    stored = Passwords(cheap=True).hash(DEMO_PASSWORD)
    common = {"password_hash": stored, "created_at": work.tick}
    for person in _STAFF:
        session.add(
            User(
                email=person.email,
                name=person.name,
                role=person.role,
                title=person.title,
                phone=f"+886-4-2565-0216 #{person.extension}",
                locale=person.locale,
                **common,
            )
        )
    query = sa.select(Account.id).join(Contact, Contact.account_id == Account.id)
    for buyer in _BUYERS:
        account_id = session.scalar(
            query.where(Account.erp_id == buyer.customer, Contact.email == buyer.email)
        )
        if account_id is not None:
            session.add(
                User(
                    email=buyer.email,
                    name=buyer.name,
                    role=buyer.role,
                    account_id=account_id,
                    title="Purchasing" if buyer.shown else "Design",
                    locale=buyer.locale,
                    **common,
                )
            )
    session.flush()  # flush: documents name users by id
    owner = sa.select(User.id).where(User.name == Account.sales_rep).scalar_subquery()
    session.execute(
        sa.update(Account)
        .values(owner_id=owner, version=Account.version)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
