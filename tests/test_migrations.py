"""The schema's steps: from empty to the models and back, without drift, on both databases."""

from __future__ import annotations

import datetime as dt
import time

import pytest
import sqlalchemy as sa

from b2bcrm import migrations
from b2bcrm.kernel.columns import MessageColumn
from b2bcrm.kernel.database import make_engine
from tests import databases
from tests.conftest import NOW

pytestmark = pytest.mark.db


@pytest.fixture
def empty(server_url):
    engine = make_engine(databases.create(server_url, f"empty_{time.time_ns()}"))
    yield engine
    engine.dispose()


def test_an_empty_database_comes_up_to_the_models_and_goes_back_to_nothing(empty):
    assert migrations.current(empty) is None
    assert migrations.upgrade(empty)
    assert migrations.current(empty) == migrations.newest()
    assert migrations.drift(empty) == []
    migrations.downgrade(empty, "base")
    assert set(sa.inspect(empty).get_table_names()) == {"alembic_version"}


def test_a_database_that_is_up_to_date_is_left_alone(empty):
    migrations.upgrade(empty)
    assert not migrations.upgrade(empty)


class TestSeveralErpCustomers:
    """0009: what an account is in the ERP moves into rows of its own, and back."""

    @pytest.fixture
    def at_0007(self, empty):
        migrations.upgrade(empty, "0007")
        with empty.begin() as connection:
            tables = sa.MetaData()
            tables.reflect(connection)
            self._rows(connection, tables.tables)
        return empty

    def _put(self, connection, table, **facts):
        """A row with what it says, anything elsewhere."""
        for column in table.columns:
            if column.name in facts or column.nullable or column.primary_key:
                continue
            kind = column.type
            if isinstance(kind, sa.Boolean):
                facts[column.name] = True
            elif isinstance(kind, sa.Integer):
                facts[column.name] = 1
            elif isinstance(kind, sa.DateTime):
                facts[column.name] = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
            elif isinstance(kind, sa.Date):
                facts[column.name] = dt.date(2026, 11, 2)
            else:
                facts[column.name] = {} if isinstance(kind, sa.JSON) else ""
        connection.execute(sa.insert(table).values(facts))

    def _rows(self, connection, tables):
        for table, facts in (
            ("company", {"id": 1, "code": "A", "erp_company": "A"}),
            ("site", {"id": 1, "code": "TC"}),
            ("account", {"id": 1, "erp_id": "1001", "credit_limit": 700}),
            ("account", {"id": 2, "erp_id": None, "credit_limit": 700}),
            ("account", {"id": 3, "erp_id": "3001", "credit_limit": 700}),
            ("erp_ref", {"connection_code": "cn", "entity": "customer", "erp_id": "3001"}),
            ("ship_to", {"id": 1, "account_id": 1, "code": "S1"}),
            ("ship_to", {"id": 2, "account_id": 2, "code": "S1"}),
            ("contact", {"id": 1, "account_id": 1, "from_erp": True}),
            ("contact", {"id": 2, "account_id": 1, "from_erp": False}),
            ("order", {"id": 1, "no": "SO-1", "account_id": 1, "ship_to_id": 1, "erp_no": "7"}),
            ("order", {"id": 2, "no": "SO-2", "account_id": 2}),
        ):
            self._put(connection, tables[table], **facts)

    def _read(self, engine, text):
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(text))]

    def test_numbers_move_out_of_the_account_and_back(self, at_0007):
        migrations.upgrade(at_0007, "0009")
        rows = "SELECT account_id, home_id, connection_code, erp_id, credit_limit FROM erp_customer"
        assert self._read(at_0007, f"{rows} ORDER BY account_id") == [
            (1, 1, "main", "1001", 700),
            (3, 3, "cn", "3001", 700),
        ]
        [(one,)] = self._read(at_0007, "SELECT id FROM erp_customer WHERE account_id = 1")
        for table in ("ship_to", "contact", "order"):
            query = f'SELECT id, erp_customer_id FROM "{table}" ORDER BY id'
            assert self._read(at_0007, query) == [(1, one), (2, None)]
        migrations.downgrade(at_0007, "0007")
        assert self._read(at_0007, "SELECT id, erp_id FROM account ORDER BY id") == [
            (1, "1001"),
            (2, None),
            (3, "3001"),
        ]
        assert self._read(at_0007, 'SELECT ship_to_id FROM "order" WHERE id = 1') == [(1,)]

    def test_what_was_linked_since_goes_home_on_the_way_back(self, at_0007):
        migrations.upgrade(at_0007, "0009")
        with at_0007.begin() as connection:
            customer = connection.scalar(
                sa.text("UPDATE erp_customer SET account_id = 2 WHERE erp_id = '1001' RETURNING id")
            )
            connection.execute(sa.text("UPDATE account SET erp_id = '1001' WHERE id = 2"))
            tables = sa.MetaData()
            tables.reflect(connection)
            self._put(
                connection,
                tables.tables["ship_to"],
                id=3,  # PostgreSQL counts only what it numbers itself
                account_id=2,
                code="S1",
                erp_customer_id=customer,
            )
        migrations.downgrade(at_0007, "0007")
        assert self._read(at_0007, "SELECT id, erp_id FROM account ORDER BY id") == [
            (1, "1001"),
            (2, None),
            (3, "3001"),
        ]
        codes = self._read(at_0007, "SELECT code FROM ship_to WHERE account_id = 2 ORDER BY id")
        assert codes[0] == ("S1",)
        assert len(set(codes)) == 2

    def test_orders_deliveries_and_exchanges_get_their_connection_and_lose_it_again(self, at_0007):
        migrations.upgrade(at_0007, "0009")
        with at_0007.begin() as connection:
            tables = sa.MetaData()
            tables.reflect(connection)
            for table, facts in (
                ("order", {"id": 3, "no": "SO-3", "account_id": 3, "erp_no": "8"}),
                ("order", {"id": 4, "no": "SO-4", "account_id": 3}),
                (
                    "erp_ref",
                    {"connection_code": "cn", "entity": "sales_order", "erp_id": "8"},
                ),
                (
                    "erp_write",
                    {
                        "connection_code": "main",
                        "reference": "SO-4/0",
                        "kind": "create",
                        "state": "unknown",
                    },
                ),
                ("outbox", {"id": 1, "handler": "erp.push_order", "code": "erp_unavailable"}),
                ("outbox", {"id": 2, "handler": "mail.quote", "code": "erp_unavailable"}),
                ("envelope", {"id": 1}),
            ):
                self._put(connection, tables.tables[table], **facts)
        migrations.upgrade(at_0007, "0010")
        query = 'SELECT id, erp_connection FROM "order" ORDER BY id'
        assert self._read(at_0007, query) == [(1, "main"), (2, None), (3, "cn"), (4, "main")]
        query = "SELECT target FROM outbox ORDER BY id"
        assert self._read(at_0007, query) == [("main",), ("",)]
        assert self._read(at_0007, "SELECT connection_code FROM envelope") == [("main",)]
        with at_0007.begin() as connection:  # two ERPs, one number
            connection.execute(sa.text("UPDATE \"order\" SET erp_no = '7' WHERE id = 3"))
        migrations.downgrade(at_0007, "0009")
        query = 'SELECT id, erp_no FROM "order" ORDER BY id'
        assert self._read(at_0007, query) == [(1, "7"), (2, None), (3, None), (4, None)]


class TestWhyAnExchangeFailed:
    """0012: a text becomes a sentence that each reader gets in his language, and back."""

    def test_what_was_said_is_kept(self, empty):
        migrations.upgrade(empty, "0009")
        said = {
            "at": NOW,
            "correlation_id": "c",
            "operation": "O",
            "reference": "",
            "status": None,
            "seconds_ms": 1,
            "request": "",
            "reply": "",
        }
        with empty.begin() as connection:
            table = sa.Table("envelope", sa.MetaData(), autoload_with=connection)
            for error in ("", "100 % wrong"):
                connection.execute(sa.insert(table).values(said | {"error": error}))
        migrations.upgrade(empty, "0012")
        with empty.connect() as connection:
            query = sa.select(sa.column("error", MessageColumn)).select_from(sa.text("envelope"))
            found = connection.scalars(query.order_by(sa.column("id"))).all()
        assert [str(one) if one else one for one in found] == [None, "100 % wrong"]
