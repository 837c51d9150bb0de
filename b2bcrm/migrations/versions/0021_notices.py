"""what a customer is asked when a promise moves later; who asked for a later day, and why not"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REFERS = (
    ("promise_id", "promise"),
    ("order_line_id", "order_line"),
    ("by_id", "user"),
    ("proposal_id", "proposal"),
)


def upgrade() -> None:
    op.add_column("line_projection", sa.Column("ahead", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("promise_request") as batch:
        batch.add_column(sa.Column("asked_by_id", BIG, nullable=True))
        batch.add_column(
            sa.Column("answer", sa.String(length=300), nullable=False, server_default="")
        )
        batch.create_foreign_key(
            op.f("fk_promise_request_asked_by_id_user"), "user", ["asked_by_id"], ["id"]
        )
    with op.batch_alter_table("promise_request") as batch:
        batch.alter_column("answer", server_default=None)
    op.create_table(
        "promise_notice",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("promise_id", BIG, nullable=False),
        sa.Column("order_line_id", BIG, nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=False),
        sa.Column("previous_on", sa.Date(), nullable=False),
        sa.Column(
            "choice",
            sa.Enum("accept", "part", "talk", name="choice", native_enum=False, length=24),
            nullable=True,
        ),
        sa.Column("qty", sa.BigInteger(), nullable=True),
        sa.Column("arrives_on", sa.Date(), nullable=True),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("by_id", BIG, nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposal_id", BIG, nullable=True),
        sa.Column("settled_by", sa.String(length=120), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise_notice")),
        sa.UniqueConstraint("promise_id", name=op.f("uq_promise_notice_promise_id")),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_promise_notice_{column}_{table}")
            )
            for column, table in REFERS
        ),
    )
    op.create_index(op.f("ix_promise_notice_order_line_id"), "promise_notice", ["order_line_id"])
    op.create_index(op.f("ix_promise_notice_proposal_id"), "promise_notice", ["proposal_id"])


def downgrade() -> None:
    op.drop_table("promise_notice")
    with op.batch_alter_table("promise_request") as batch:
        batch.drop_constraint(op.f("fk_promise_request_asked_by_id_user"), type_="foreignkey")
        batch.drop_column("answer")
        batch.drop_column("asked_by_id")
    op.drop_column("line_projection", "ahead")
