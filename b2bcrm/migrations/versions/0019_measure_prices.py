"""what measures and lateness cost"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "measure_price",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.BigInteger(), nullable=True),
        sa.Column("penalty_pct", sa.BigInteger(), nullable=True),
        sa.Column("penalty_most_pct", sa.BigInteger(), nullable=True),
        sa.Column("set_by", sa.String(length=120), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure_price")),
    )


def downgrade() -> None:
    op.drop_table("measure_price")
