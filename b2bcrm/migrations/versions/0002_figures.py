"""Figures of the board: stored sums, and the indices that summing them needs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NOT_DONE = sa.text("status <> 'done'")


def upgrade() -> None:
    op.create_table(
        "figure_run",
        sa.Column("name", sa.String(length=12), nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_figure_run")),
    )
    op.create_table(
        "figure_sheet",
        sa.Column("run", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("site_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["figure_run.name"], name=op.f("fk_figure_sheet_run")),
        sa.PrimaryKeyConstraint("run", "kind", "site_id", "code", name=op.f("pk_figure_sheet")),
    )
    op.drop_index("ix_operation_center", table_name="operation")
    op.create_index(
        "ix_operation_open",
        "operation",
        ["work_center"],
        unique=False,
        sqlite_where=NOT_DONE,
        postgresql_where=NOT_DONE,
    )
    op.create_index(
        "ix_order_line_first_promised", "order_line", ["first_promised_on"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_order_line_first_promised", table_name="order_line")
    op.drop_index(
        "ix_operation_open",
        table_name="operation",
        sqlite_where=NOT_DONE,
        postgresql_where=NOT_DONE,
    )
    op.create_index("ix_operation_center", "operation", ["work_center", "status"], unique=False)
    op.drop_table("figure_sheet")
    op.drop_table("figure_run")
