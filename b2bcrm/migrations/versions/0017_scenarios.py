"""scenarios that people keep, and what was proposed of them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "scenario",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("owner_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenario")),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_scenario_owner_id_user")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_scenario_owner_id_name")),
    )
    op.create_table(
        "proposal",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("by_id", BIG, nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_proposal_by_id_user")),
    )
    op.create_table(
        "proposal_task",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("proposal_id", BIG, nullable=False),
        sa.Column("measure", sa.String(length=400), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "done", "declined", name="taskstate", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_task")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_proposal_task_proposal_id_proposal")
        ),
    )
    op.create_index(op.f("ix_proposal_task_proposal_id"), "proposal_task", ["proposal_id"])
    op.create_table(
        "proposal_notice",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("proposal_id", BIG, nullable=False),
        sa.Column("order_line_id", BIG, nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=False),
        sa.Column("arrives_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_notice")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_proposal_notice_proposal_id_proposal")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"],
            ["order_line.id"],
            name=op.f("fk_proposal_notice_order_line_id_order_line"),
        ),
    )
    op.create_index(op.f("ix_proposal_notice_proposal_id"), "proposal_notice", ["proposal_id"])


def downgrade() -> None:
    op.drop_table("proposal_notice")
    op.drop_table("proposal_task")
    op.drop_table("proposal")
    op.drop_table("scenario")
