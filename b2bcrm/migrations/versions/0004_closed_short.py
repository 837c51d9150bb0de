"""closed short"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("short_qty", sa.BigInteger(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("short_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("short_by", sa.String(length=120), nullable=False, server_default="")
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_order_line_short_was_ordered"), "short_qty BETWEEN 0 AND ordered_qty"
        )
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.alter_column("short_qty", server_default=None)
        batch_op.alter_column("short_by", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_order_line_short_was_ordered"), type_="check")
        batch_op.drop_column("short_by")
        batch_op.drop_column("short_at")
        batch_op.drop_column("short_qty")
