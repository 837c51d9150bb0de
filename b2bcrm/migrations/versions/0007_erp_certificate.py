"""certificates of ERP connections"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erp_certificate",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("connection_code", sa.String(length=20), nullable=False),
        sa.Column("profile", sa.String(length=80), nullable=False),
        sa.Column("profile_digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "result",
            sa.Enum(
                "writes", "reads", "failed", name="certificateresult", native_enum=False, length=24
            ),
            nullable=False,
        ),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("not_run", sa.Integer(), nullable=False),
        sa.Column("report_file", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erp_certificate")),
    )
    with op.batch_alter_table("erp_certificate", schema=None) as batch_op:
        batch_op.create_index(
            "ix_erp_certificate_connection", ["connection_code", "id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("erp_certificate", schema=None) as batch_op:
        batch_op.drop_index("ix_erp_certificate_connection")

    op.drop_table("erp_certificate")
