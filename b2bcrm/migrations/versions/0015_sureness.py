"""how sure a promised day is: what was learned from the past, and each open line's days"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sureness_run",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("levels", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sureness_run")),
    )
    op.create_table(
        "sureness_curve",
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("shares", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_sureness_curve")),
    )
    op.create_table(
        "sureness_way",
        sa.Column("item_no", sa.String(length=60), nullable=False),
        sa.Column("way", sa.String(length=90), nullable=False),
        sa.PrimaryKeyConstraint("item_no", name=op.f("pk_sureness_way")),
    )
    op.add_column("line_projection", sa.Column("sure", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("line_projection", "sure")
    op.drop_table("sureness_way")
    op.drop_table("sureness_curve")
    op.drop_table("sureness_run")
