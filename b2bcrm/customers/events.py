"""Facts about accounts, contacts and touches. ``bootstrap.ROUTES`` says what follows from each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from b2bcrm.kernel.events import Event
from b2bcrm.kernel.words import Message

TOUCH_WORDS = {
    "call": Message("Call"),
    "mail": Message("Mail"),
    "visit": Message("Visit"),
    "portal": Message("Portal"),
    "note": Message("Note"),
}


@dataclass(frozen=True, kw_only=True)
class AccountEvent(Event):
    """Common: the subject is the account."""

    subject: ClassVar[str] = "account"


@dataclass(frozen=True, kw_only=True)
class ProspectCreated(AccountEvent):
    """A company that the ERP does not know yet became an account."""

    name: ClassVar[str] = "account.prospect_created"
    account_name: str

    def sentence(self) -> Message:
        """Who is new."""
        return Message("Prospect %(account)s created", account=self.account_name)


@dataclass(frozen=True, kw_only=True)
class AccountLinked(AccountEvent):
    """A prospect got its ERP customer number. ``by_tax_id``: found by its tax number in a pull."""

    name: ClassVar[str] = "account.linked"
    erp_id: str
    by_tax_id: bool = False

    def sentence(self) -> Message:
        """Which number, and how it was found."""
        if self.by_tax_id:
            return Message("Known to the ERP as %(no)s, found by the tax number", no=self.erp_id)
        return Message("Known to the ERP as %(no)s", no=self.erp_id)


@dataclass(frozen=True, kw_only=True)
class AccountToErp(AccountEvent):
    """A person wants the account to be a customer in an ERP (``connection``)."""

    name: ClassVar[str] = "account.to_erp"
    connection: str

    def sentence(self) -> Message:
        """Where it is to be entered."""
        return Message("To be entered in the ERP (%(code)s)", code=self.connection)


@dataclass(frozen=True, kw_only=True)
class AccountAdopted(AccountEvent):
    """The account that a pull had made of the same customer was taken over and removed."""

    name: ClassVar[str] = "account.adopted"
    erp_id: str
    was: str

    def sentence(self) -> Message:
        """Which customer of the ERP."""
        return Message("Taken over from the ERP: %(was)s (%(no)s)", was=self.was, no=self.erp_id)


@dataclass(frozen=True, kw_only=True)
class ErpCustomerLinked(AccountEvent):
    """A customer of the ERP moved between two accounts. ``here``: this one gains or gives it back;
    else ``other`` does. ``linked`` False: it was undone.
    """

    name: ClassVar[str] = "account.erp_customer_linked"
    erp_id: str
    other: str
    linked: bool
    here: bool

    def sentence(self) -> Message:
        """Which customer, from or to whom."""
        facts = {"no": self.erp_id, "other": self.other}
        if self.linked and self.here:
            return Message("ERP customer %(no)s of %(other)s linked to this account", **facts)
        if self.linked:
            return Message("ERP customer %(no)s is now linked to %(other)s", **facts)
        if self.here:
            return Message("ERP customer %(no)s given back to %(other)s", **facts)
        return Message("ERP customer %(no)s came back from %(other)s", **facts)


@dataclass(frozen=True, kw_only=True)
class MainErpCustomer(AccountEvent):
    """Another of its ERP customers is the main one now."""

    name: ClassVar[str] = "account.main_erp_customer"
    erp_id: str

    def sentence(self) -> Message:
        """Which."""
        return Message("ERP customer %(no)s is the main one now", no=self.erp_id)


@dataclass(frozen=True, kw_only=True)
class AccountChanged(AccountEvent):
    """Fields that we own were edited."""

    name: ClassVar[str] = "account.changed"

    def sentence(self) -> Message:
        """That it was edited."""
        return Message("Account edited")


@dataclass(frozen=True, kw_only=True)
class ContactAdded(AccountEvent):
    """A person was added by us."""

    name: ClassVar[str] = "account.contact_added"
    contact: str

    def sentence(self) -> Message:
        """Who."""
        return Message("Contact %(contact)s added", contact=self.contact)


@dataclass(frozen=True, kw_only=True)
class ContactChanged(AccountEvent):
    """A person's data were edited by us."""

    name: ClassVar[str] = "account.contact_changed"
    contact: str

    def sentence(self) -> Message:
        """Who."""
        return Message("Contact %(contact)s edited", contact=self.contact)


@dataclass(frozen=True, kw_only=True)
class ContactRemoved(AccountEvent):
    """A person was removed by us."""

    name: ClassVar[str] = "account.contact_removed"
    contact: str

    def sentence(self) -> Message:
        """Who."""
        return Message("Contact %(contact)s removed", contact=self.contact)


@dataclass(frozen=True, kw_only=True)
class CustomerPartSet(AccountEvent):
    """The customer's own number for an item; an empty one means it was removed."""

    name: ClassVar[str] = "account.part_set"
    item_no: str
    part_no: str

    def sentence(self) -> Message:
        """Which number for which item."""
        if not self.part_no:
            return Message("Part number for %(item)s removed", item=self.item_no)
        return Message("%(item)s is their %(part)s", item=self.item_no, part=self.part_no)


@dataclass(frozen=True, kw_only=True)
class TouchLogged(AccountEvent):
    """We were in contact. ``kind`` is a TouchKind's value; the text stays with the touch."""

    name: ClassVar[str] = "touch.logged"
    touch_id: int
    kind: str
    touch_subject: str

    def sentence(self) -> Message:
        """How, and about what."""
        return Message("%(kind)s: %(about)s", kind=TOUCH_WORDS[self.kind], about=self.touch_subject)


EVENTS: tuple[type[AccountEvent], ...] = (
    ProspectCreated,
    AccountLinked,
    AccountToErp,
    AccountAdopted,
    ErpCustomerLinked,
    MainErpCustomer,
    AccountChanged,
    ContactAdded,
    ContactChanged,
    ContactRemoved,
    CustomerPartSet,
    TouchLogged,
)
