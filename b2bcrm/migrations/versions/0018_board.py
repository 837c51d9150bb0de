"""what a morning is compared with, views, who is in charge, firm pegs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "board_morning",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_board_morning")),
    )
    op.create_table(
        "board_view",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("owner_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("query", sa.String(length=500), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_view")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user.id"], name=op.f("fk_board_view_owner_id_user")
        ),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_board_view_owner_id_name")),
    )
    op.create_table(
        "order_care",
        sa.Column("order_id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_order_care")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["order.id"], name=op.f("fk_order_care_order_id_order")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_order_care_user_id_user")),
    )
    op.create_table(
        "firm_peg",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("order_line_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("no", sa.String(length=40), nullable=False),
        sa.Column("item_no", sa.String(length=60), nullable=False),
        sa.Column("site_code", sa.String(length=20), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firm_peg")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_firm_peg_order_line_id_order_line")
        ),
    )
    op.create_index("ix_firm_peg_live", "firm_peg", ["ended_at", "id"])
    op.create_index("ix_firm_peg_order_line_id", "firm_peg", ["order_line_id"])


def downgrade() -> None:
    op.drop_table("firm_peg")
    op.drop_table("order_care")
    op.drop_table("board_view")
    op.drop_table("board_morning")
