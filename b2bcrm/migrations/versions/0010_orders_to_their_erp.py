"""which ERP an order, a delivery and an exchange belong to"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NAMING = {"uq": "uq_%(table_name)s_%(column_0_N_name)s"}


def upgrade() -> None:
    with op.batch_alter_table("order", naming_convention=NAMING) as batch_op:
        batch_op.add_column(sa.Column("erp_connection", sa.String(length=20), nullable=True))
        batch_op.drop_constraint("uq_order_erp_no", type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_order_erp_no_erp_connection"), ["erp_no", "erp_connection"]
        )
    # What a pull brought is its connection's; what we sent went to the first one.
    op.execute(
        'UPDATE "order" SET erp_connection = COALESCE((SELECT MIN(r.connection_code) FROM erp_ref r'
        " WHERE r.entity = 'sales_order' AND r.erp_id = \"order\".erp_no"
        " AND r.tombstoned_at IS NULL), 'main') WHERE erp_no IS NOT NULL"
    )
    op.execute(
        "UPDATE \"order\" SET erp_connection = 'main' WHERE erp_no IS NULL AND EXISTS (SELECT 1"
        " FROM erp_write w WHERE w.kind = 'create' AND w.state NOT IN ('unsent', 'refused')"
        " AND w.reference LIKE \"order\".no || '/%')"
    )
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.add_column(
            sa.Column("target", sa.String(length=20), nullable=False, server_default="")
        )
    op.execute(
        "UPDATE outbox SET target = 'main' WHERE handler = 'mail.promise_moved'"
        " OR (handler = 'erp.push_order' AND code <> '')"
    )
    with op.batch_alter_table("envelope") as batch_op:
        batch_op.add_column(
            sa.Column(
                "connection_code", sa.String(length=20), nullable=False, server_default="main"
            )
        )
    for table, column in (("outbox", "target"), ("envelope", "connection_code")):
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column(column, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("envelope") as batch_op:
        batch_op.drop_column("connection_code")
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.drop_column("target")
    # One number can be only one order's again: the oldest keeps it.
    op.execute(
        'UPDATE "order" SET erp_no = NULL WHERE EXISTS (SELECT 1 FROM "order" o'
        ' WHERE o.erp_no = "order".erp_no AND o.id < "order".id)'
    )
    with op.batch_alter_table("order", naming_convention=NAMING) as batch_op:
        batch_op.drop_constraint("uq_order_erp_no_erp_connection", type_="unique")
        batch_op.create_unique_constraint(batch_op.f("uq_order_erp_no"), ["erp_no"])
        batch_op.drop_column("erp_connection")
