"""several ERP customers of one account"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

NAMING = {"uq": "uq_%(table_name)s_%(column_0_N_name)s"}


def upgrade() -> None:
    op.create_table(
        "erp_customer",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("connection_code", sa.String(length=20), nullable=False),
        sa.Column("erp_id", sa.String(length=40), nullable=False),
        sa.Column("company_id", _key(), nullable=False),
        sa.Column("account_id", _key(), nullable=False),
        sa.Column("home_id", _key(), nullable=False),
        sa.Column("main", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("payment_terms", sa.String(length=60), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("credit_limit", sa.BigInteger(), nullable=False),
        sa.Column("credit_used", sa.BigInteger(), nullable=False),
        sa.Column("overdue_amount", sa.BigInteger(), nullable=False),
        sa.Column("credit_hold", sa.Boolean(), nullable=False),
        sa.Column("credit_as_of", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["company.id"], name=op.f("fk_erp_customer_company_id_company")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_erp_customer_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["home_id"], ["account.id"], name=op.f("fk_erp_customer_home_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erp_customer")),
        sa.UniqueConstraint(
            "connection_code", "erp_id", name=op.f("uq_erp_customer_connection_code_erp_id")
        ),
    )
    op.create_index("ix_erp_customer_account", "erp_customer", ["account_id"])
    op.create_index("ix_erp_customer_home", "erp_customer", ["home_id"])
    # Each account was one customer of the connection that had brought it.
    op.execute(
        "INSERT INTO erp_customer (connection_code, erp_id, company_id, account_id, home_id, main,"
        " name, currency, payment_terms, active, credit_limit, credit_used, overdue_amount,"
        " credit_hold, credit_as_of)"
        " SELECT COALESCE((SELECT MIN(r.connection_code) FROM erp_ref r WHERE r.entity = 'customer'"
        " AND r.erp_id = a.erp_id AND r.tombstoned_at IS NULL), 'main'), a.erp_id, a.company_id,"
        " a.id, a.id, true, a.name, a.currency, a.payment_terms, a.active, credit_limit,"
        " credit_used, overdue_amount, credit_hold, credit_as_of"
        " FROM account a WHERE a.erp_id IS NOT NULL ORDER BY a.id"
    )
    with op.batch_alter_table("account", naming_convention=NAMING) as batch_op:
        batch_op.drop_constraint("uq_account_erp_id", type_="unique")
        batch_op.create_index(batch_op.f("ix_account_erp_id"), ["erp_id"])
        batch_op.add_column(
            sa.Column("other_light", sa.String(length=4), nullable=False, server_default="ok")
        )
    for table in ("ship_to", "contact", "order"):
        with op.batch_alter_table(table, naming_convention=NAMING) as batch_op:
            batch_op.add_column(sa.Column("erp_customer_id", _key(), nullable=True))
            batch_op.create_foreign_key(
                batch_op.f(f"fk_{table}_erp_customer_id_erp_customer"),
                "erp_customer",
                ["erp_customer_id"],
                ["id"],
            )
            if table == "ship_to":
                batch_op.drop_constraint("uq_ship_to_account_id_code", type_="unique")
                batch_op.create_unique_constraint(
                    batch_op.f("uq_ship_to_account_id_erp_customer_id_code"),
                    ["account_id", "erp_customer_id", "code"],
                )
    for table, which in (("ship_to", "true"), ("contact", "from_erp"), ("order", "erp_no <> ''")):
        op.execute(
            f'UPDATE "{table}" SET erp_customer_id = (SELECT c.id FROM erp_customer c'  # noqa: S608 - names from here
            f' WHERE c.account_id = "{table}".account_id) WHERE {which}'
        )
    with op.batch_alter_table("account") as batch_op:
        batch_op.alter_column("other_light", server_default=None)


def downgrade() -> None:
    # A linked customer goes home, and an account that has none of its own has no number.
    op.execute(
        "UPDATE account SET erp_id = (SELECT MIN(c.erp_id) FROM erp_customer c"
        " WHERE c.home_id = account.id AND c.erp_id = COALESCE((SELECT m.erp_id FROM erp_customer m"
        " WHERE m.home_id = account.id ORDER BY m.main DESC, m.id LIMIT 1), ''))"
    )
    # One number can be only one account's again: the oldest keeps it.
    op.execute(
        "UPDATE account SET erp_id = NULL WHERE EXISTS (SELECT 1 FROM account b"
        " WHERE b.erp_id = account.erp_id AND b.id < account.id)"
    )
    # What was copied to the account that took a customer over is named by that account alone.
    op.execute(
        "UPDATE ship_to SET code = substr(code, 1, 30) || '~' || id WHERE EXISTS (SELECT 1"
        " FROM ship_to s WHERE s.account_id = ship_to.account_id AND s.code = ship_to.code"
        " AND s.id < ship_to.id)"
    )
    for table in ("order", "contact", "ship_to"):
        with op.batch_alter_table(table, naming_convention=NAMING) as batch_op:
            if table == "ship_to":
                batch_op.drop_constraint(
                    "uq_ship_to_account_id_erp_customer_id_code", type_="unique"
                )
                batch_op.create_unique_constraint(
                    batch_op.f("uq_ship_to_account_id_code"), ["account_id", "code"]
                )
            batch_op.drop_constraint(
                batch_op.f(f"fk_{table}_erp_customer_id_erp_customer"), type_="foreignkey"
            )
            batch_op.drop_column("erp_customer_id")
    with op.batch_alter_table("account", naming_convention=NAMING) as batch_op:
        batch_op.drop_column("other_light")
        batch_op.drop_index(batch_op.f("ix_account_erp_id"))
        batch_op.create_unique_constraint(batch_op.f("uq_account_erp_id"), ["erp_id"])
    op.drop_index("ix_erp_customer_home", "erp_customer")
    op.drop_index("ix_erp_customer_account", "erp_customer")
    op.drop_table("erp_customer")


def _key() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")
