"""how order lines may leave, and what of a line the plan sends ahead"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("leaves_with", sa.String(length=20), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("least_shipment", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("max_late_days", sa.Integer(), nullable=True))
        batch_op.create_check_constraint(
            batch_op.f("ck_order_line_least_positive"), "least_shipment > 0"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_order_line_max_late_not_negative"), "max_late_days >= 0"
        )
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.alter_column("leaves_with", server_default=None)
    op.add_column("line_projection", sa.Column("in_two", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("line_projection", "in_two")
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_order_line_max_late_not_negative"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_order_line_least_positive"), type_="check")
        batch_op.drop_column("max_late_days")
        batch_op.drop_column("least_shipment")
        batch_op.drop_column("leaves_with")
