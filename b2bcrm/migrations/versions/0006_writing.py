"""writing to the ERP"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erp_confirmation",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("connection_code", sa.String(length=20), nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("erp_id", sa.String(length=120), nullable=False),
        sa.Column("erp_version", sa.String(length=60), nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erp_confirmation")),
        sa.UniqueConstraint(
            "connection_code",
            "message_id",
            name=op.f("uq_erp_confirmation_connection_code_message_id"),
        ),
    )
    with op.batch_alter_table("erp_confirmation", schema=None) as batch_op:
        batch_op.create_index(
            "ix_erp_confirmation_reference", ["connection_code", "reference"], unique=False
        )

    op.create_table(
        "erp_conflict",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("connection_code", sa.String(length=20), nullable=False),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("erp_id", sa.String(length=120), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("line_no", sa.Integer(), nullable=True),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column(
            "owner",
            sa.Enum("erp", "crm", "agreed", "promise", name="owner", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column(
            "found",
            sa.Enum("read_back", "changed_there", name="found", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("base", sa.String(length=300), nullable=True),
        sa.Column("ours", sa.String(length=300), nullable=False),
        sa.Column("theirs", sa.String(length=300), nullable=False),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "sent_back",
                "taken",
                "kept",
                "left",
                "agreed",
                name="conflictstate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.JSON(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erp_conflict")),
    )
    with op.batch_alter_table("erp_conflict", schema=None) as batch_op:
        batch_op.create_index("ix_erp_conflict_order", ["order_id", "state"], unique=False)
        batch_op.create_index(
            "uq_erp_conflict_unsettled",
            ["connection_code", "entity", "erp_id", "field"],
            unique=True,
            sqlite_where=sa.text("state IN ('open', 'sent_back')"),
            postgresql_where=sa.text("state IN ('open', 'sent_back')"),
        )

    op.create_table(
        "erp_image",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("connection_code", sa.String(length=20), nullable=False),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("erp_id", sa.String(length=120), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erp_image")),
        sa.UniqueConstraint(
            "connection_code",
            "entity",
            "erp_id",
            name=op.f("uq_erp_image_connection_code_entity_erp_id"),
        ),
    )
    op.create_table(
        "erp_write",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("connection_code", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("create", "update", "cancel", name="kind", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "sending",
                "unsent",
                "unknown",
                "deferred",
                "done",
                "refused",
                name="writestate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("handle", sa.String(length=120), nullable=False),
        sa.Column("erp_id", sa.String(length=120), nullable=False),
        sa.Column("erp_version", sa.String(length=60), nullable=False),
        sa.Column("guarded", sa.Boolean(), nullable=False),
        sa.Column("issues", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erp_write")),
        sa.UniqueConstraint(
            "connection_code",
            "reference",
            "kind",
            name=op.f("uq_erp_write_connection_code_reference_kind"),
        ),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("code", sa.String(length=40), nullable=False, server_default="")
        )


def downgrade() -> None:
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_column("code")

    op.drop_table("erp_write")
    op.drop_table("erp_image")
    with op.batch_alter_table("erp_conflict", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_erp_conflict_unsettled",
            sqlite_where=sa.text("state IN ('open', 'sent_back')"),
            postgresql_where=sa.text("state IN ('open', 'sent_back')"),
        )
        batch_op.drop_index("ix_erp_conflict_order")

    op.drop_table("erp_conflict")
    with op.batch_alter_table("erp_confirmation", schema=None) as batch_op:
        batch_op.drop_index("ix_erp_confirmation_reference")

    op.drop_table("erp_confirmation")
