"""supply kept for a class of customers, caps, and the class that a promise was given to"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PROMISED = ("reservation", "hold_line")
CLASS_OF_ORDER = """
    UPDATE reservation SET customer_class = COALESCE((
        SELECT account.customer_class FROM "order" JOIN account ON account.id = "order".account_id
        WHERE "order".no = reservation.order_ref), '')
"""


def upgrade() -> None:
    for table in PROMISED:
        op.add_column(
            table,
            sa.Column("customer_class", sa.String(length=1), nullable=False, server_default=""),
        )
    op.execute(CLASS_OF_ORDER)
    for table in PROMISED:
        with op.batch_alter_table(table) as batch:
            batch.alter_column("customer_class", server_default=None)
    op.create_table(
        "allocation_rule",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column(
            "kind",
            sa.Enum("keep", "cap", name="allocationkind", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("item_no", sa.String(length=60), nullable=False),
        sa.Column("site_code", sa.String(length=20), nullable=False),
        sa.Column("customer_class", sa.String(length=1), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("set_by", sa.String(length=120), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.String(length=120), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation_rule")),
    )
    op.create_index("ix_allocation_rule_item", "allocation_rule", ["item_no", "last_on"])


def downgrade() -> None:
    op.drop_table("allocation_rule")
    for table in PROMISED:
        op.drop_column(table, "customer_class")
