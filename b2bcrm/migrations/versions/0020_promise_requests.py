"""later days for customers of class A wait for a sales manager; earlier ones only where welcome"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = ("open", "approved", "declined", "replaced")


def upgrade() -> None:
    with op.batch_alter_table("account") as batch:
        batch.add_column(
            sa.Column("welcomes_early", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("account") as batch:
        batch.alter_column("welcomes_early", server_default=None)
    op.create_table(
        "promise_request",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("order_line_id", BIG, nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=False),
        sa.Column("previous_on", sa.Date(), nullable=False),
        sa.Column("reason_code", sa.String(length=20), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="requeststate", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("asked_by", sa.String(length=120), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise_request")),
        sa.ForeignKeyConstraint(
            ["order_line_id"],
            ["order_line.id"],
            name=op.f("fk_promise_request_order_line_id_order_line"),
        ),
    )
    op.create_index(op.f("ix_promise_request_order_line_id"), "promise_request", ["order_line_id"])
    op.create_index(op.f("ix_promise_request_state"), "promise_request", ["state"])


def downgrade() -> None:
    op.drop_table("promise_request")
    with op.batch_alter_table("account") as batch:
        batch.drop_column("welcomes_early")
