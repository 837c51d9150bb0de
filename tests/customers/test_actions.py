"""Prospects, field ownership, contacts, touches, part numbers; and who sees which account."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm.customers import actions, queries
from b2bcrm.customers.models import Account, Contact, CustomerPart, TouchKind
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Invalid, NotAllowed, NotFound, Refused, StaleVersion
from b2bcrm.kernel.timeline import history
from b2bcrm.kernel.work import Work
from tests.factories import buyer, make_account, make_company, make_item, make_order, staff

pytestmark = pytest.mark.db


def prospect(work: Work, **facts) -> Account:
    make_company(work)
    values = {"name": "蘇州澄衡", "country": "CN", "currency": "CNY", "price_list": "CHINA"}
    return actions.create_prospect(work, **(values | facts))


class TestProspects:
    def test_a_prospect_has_no_erp_number_and_can_be_found(self, work: Work) -> None:
        account = prospect(work, contact_name="陈工", contact_email="chen@chengheng.example")
        assert account.erp_id is None
        assert [hit.id for hit in queries.search(work, "澄衡")] == [account.id]
        assert [c.name for c in queries.contacts_of(work, account.id)] == ["陈工"]
        assert "蘇州澄衡" in str(history(work.session, account_id=account.id)[0].sentence)

    def test_a_planner_creates_none(self, work: Work) -> None:
        work.actor = staff(Role.PLANNER)
        with pytest.raises(NotAllowed):
            prospect(work)

    def test_all_fields_of_a_prospect_can_be_edited(self, work: Work) -> None:
        account = prospect(work)
        actions.change_account(
            work, account.id, expected_version=1, changes={"name": "苏州澄衡", "currency": "USD"}
        )
        assert (account.name, account.currency) == ("苏州澄衡", "USD")

    def test_a_prospect_gets_its_erp_number(self, work: Work) -> None:
        account = prospect(work)
        actions.link_to_erp(work, account.id, expected_version=1, erp_id="30001")
        assert account.erp_id == "30001"

    def test_a_number_that_another_account_has_is_refused(self, work: Work) -> None:
        make_account(work, erp_id="30001", name="Halvorsen")
        account = prospect(work)
        with pytest.raises(Refused, match="Halvorsen"):
            actions.link_to_erp(work, account.id, expected_version=1, erp_id="30001")


class TestEditing:
    def test_what_the_erp_owns_is_refused_with_a_sentence_at_the_field(self, work: Work) -> None:
        account = make_account(work)
        with pytest.raises(Refused) as caught:
            actions.change_account(
                work, account.id, expected_version=1, changes={"name": "Other", "language": "en"}
            )
        assert caught.value.code == "erp_owned"
        assert caught.value.fields.keys() == {"name"}
        assert "ERP" in str(caught.value.message)

    def test_the_language_is_ours(self, work: Work) -> None:
        account = make_account(work)
        actions.change_account(
            work,
            account.id,
            expected_version=1,
            changes={"language": "zh_Hans", "name": account.name},
        )
        work.session.flush()
        assert (account.language, account.version) == ("zh_Hans", 2)

    def test_two_people_editing_one_account_are_told_who_and_when(self, work: Work) -> None:
        account = make_account(work)
        actions.change_account(
            work, account.id, expected_version=1, changes={"language": "zh_Hans"}
        )
        work.session.flush()
        with pytest.raises(StaleVersion, match=r"Grace Wu .* 09:40"):
            actions.change_account(work, account.id, expected_version=1, changes={"language": "en"})


class TestContacts:
    def test_ours_are_added_edited_and_removed(self, work: Work) -> None:
        account = make_account(work)
        contact = actions.add_contact(work, account.id, name="Timo", email="t@x.example")
        actions.change_contact(work, account.id, contact.id, changes={"name": "Timo Maurer"})
        assert contact.name == "Timo Maurer"
        actions.remove_contact(work, account.id, contact.id)
        assert [c.name for c in queries.contacts_of(work, account.id)] == ["Jonas Kessler"]

    def test_one_of_the_erp_is_left_alone(self, work: Work) -> None:
        account = make_account(work)
        contact = account.contacts[0]
        contact.from_erp = True
        work.session.flush()
        with pytest.raises(Refused):
            actions.change_contact(work, account.id, contact.id, changes={"name": "X"})
        with pytest.raises(Refused):
            actions.remove_contact(work, account.id, contact.id)
        actions.change_contact(work, account.id, contact.id, changes={"language": "zh_Hant"})

    def test_one_that_an_order_names_cannot_be_removed(self, work: Work) -> None:
        account = make_account(work)
        contact = actions.add_contact(work, account.id, name="Timo")
        make_order(work, account, contact_id=contact.id)
        with pytest.raises(Refused):
            actions.remove_contact(work, account.id, contact.id)

    def test_one_of_another_account_is_not_found(self, work: Work) -> None:
        mine, other = make_account(work), make_account(work)
        with pytest.raises(NotFound):
            actions.change_contact(work, mine.id, other.contacts[0].id, changes={"name": "X"})


class TestTouches:
    def test_a_call_about_an_order_is_on_both_timelines(self, work: Work) -> None:
        account = make_account(work)
        order = make_order(work, account)
        actions.log_touch(
            work, account.id, kind=TouchKind.CALL, subject="Can 15 December be held?",
            inbound=True, contact_id=account.contacts[0].id, order_id=order.id,
        )  # fmt: skip
        work.session.flush()
        row = queries.touches(work, account_id=account.id)[0]
        assert (row.contact_name, row.order_no, row.at) == (
            "Jonas Kessler",
            order.no,
            work.now,
        )
        assert queries.touches(work, order_id=order.id)[0].id == row.id
        assert str(history(work.session, order_id=order.id)[0].sentence) == (
            "Call: Can 15 December be held?"
        )

    def test_another_accounts_order_is_not_found(self, work: Work) -> None:
        account, foreign = make_account(work), make_order(work)
        with pytest.raises(NotFound):
            actions.log_touch(
                work, account.id, kind=TouchKind.NOTE, subject="x", order_id=foreign.id
            )

    def test_the_future_has_not_been_touched(self, work: Work) -> None:
        account = make_account(work)
        later = work.now + dt.timedelta(days=1)
        with pytest.raises(Invalid) as caught:
            actions.log_touch(work, account.id, kind=TouchKind.VISIT, subject="x", at=later)
        assert caught.value.fields.keys() == {"at"}


class TestParts:
    def test_a_number_is_set_changed_and_removed(self, work: Work) -> None:
        account, item = make_account(work), make_item(work)
        for number in ("BK-1", "BK-2"):
            actions.set_customer_part(work, account.id, item_id=item.id, part_no=number)
            work.session.flush()
            assert queries.part_numbers(work, account.id) == {item.id: number}
        actions.set_customer_part(work, account.id, item_id=item.id, part_no=" ")
        work.session.flush()
        assert queries.part_numbers(work, account.id) == {}

    def test_a_number_of_the_erp_is_refused(self, work: Work) -> None:
        account, item = make_account(work), make_item(work)
        part = CustomerPart(account_id=account.id, item_id=item.id, part_no="BK-1", from_erp=True)
        work.session.add(part)
        work.session.flush()
        with pytest.raises(Refused):
            actions.set_customer_part(work, account.id, item_id=item.id, part_no="BK-2")


class TestIsolation:
    def test_a_buyer_sees_his_own_account_and_no_other(self, work: Work) -> None:
        mine, other = make_account(work, name="Mine"), make_account(work, name="Mine too")
        part = CustomerPart(account_id=other.id, item_id=make_item(work).id, part_no="X")
        work.session.add(part)
        actions.log_touch(work, other.id, kind=TouchKind.NOTE, subject="secret")
        work.session.flush()
        work.actor = buyer(mine)
        assert queries.by_id(work, mine.id, with_people=True).contacts
        with pytest.raises(NotFound):
            queries.by_id(work, other.id)
        assert [hit.id for hit in queries.search(work, "mine")] == [mine.id]
        assert not queries.contacts_of(work, other.id)
        assert not queries.ship_tos_of(work, other.id)
        assert not queries.parts_of(work, other.id)
        assert not queries.part_numbers(work, other.id)
        assert not queries.touches(work, account_id=other.id)
        with pytest.raises(NotFound):
            queries.contact(work, other.id, other.contacts[0].id)

    def test_somebody_of_no_account_sees_none(self, work: Work) -> None:
        make_account(work)
        account = make_account(work)
        work.actor = buyer(account, account_id=None)
        assert not work.session.scalars(queries.visible_to(work.actor)).all()

    def test_a_buyer_logs_no_touch(self, work: Work) -> None:
        account = make_account(work)
        work.actor = buyer(account)
        with pytest.raises(NotAllowed):
            actions.log_touch(work, account.id, kind=TouchKind.NOTE, subject="x")
        assert work.session.scalar(sa.select(sa.func.count()).select_from(Contact)) == 1
