"""Sync engine: cross references, drift, guard, reconciliation, connections, gate.

Every feed is read in full once after this step: only so the engine learns what it has applied.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drift_notice",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("connection_code", sa.String(length=20), nullable=False),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("path", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("sample", sa.String(length=300), nullable=False),
        sa.Column("erp_id", sa.String(length=120), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift_notice")),
        sa.UniqueConstraint(
            "connection_code",
            "entity",
            "path",
            "kind",
            name=op.f("uq_drift_notice_connection_code_entity_path_kind"),
        ),
    )
    op.create_table(
        "erp_gate",
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("rest_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_erp_gate")),
    )
    op.create_table(
        "erp_gate_place",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("write", sa.Boolean(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erp_gate_place")),
    )
    with op.batch_alter_table("erp_gate_place", schema=None) as batch_op:
        batch_op.create_index(
            "ix_erp_gate_place_account", ["account", "leased_until"], unique=False
        )

    op.create_table(
        "erp_ref",
        sa.Column("connection_code", sa.String(length=20), nullable=False),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("erp_id", sa.String(length=120), nullable=False),
        sa.Column("company", sa.String(length=20), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("crm_id", sa.BigInteger(), nullable=True),
        sa.Column("merged_into", sa.String(length=120), nullable=True),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("missed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tombstoned_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("connection_code", "entity", "erp_id", name=op.f("pk_erp_ref")),
    )
    op.create_table(
        "erp_ref_change",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("connection_code", sa.String(length=20), nullable=False),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("erp_id", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("was_id", sa.BigInteger(), nullable=True),
        sa.Column("is_id", sa.BigInteger(), nullable=True),
        sa.Column("merged_into", sa.String(length=120), nullable=True),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erp_ref_change")),
    )
    with op.batch_alter_table("erp_ref_change", schema=None) as batch_op:
        batch_op.create_index(
            "ix_erp_ref_change", ["connection_code", "entity", "erp_id"], unique=False
        )

    op.create_table(
        "quarantined_row",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("connection_code", sa.String(length=20), nullable=False),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("erp_id", sa.String(length=120), nullable=False),
        sa.Column("path", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ignored_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_row")),
        sa.UniqueConstraint(
            "connection_code",
            "entity",
            "erp_id",
            name=op.f("uq_quarantined_row_connection_code_entity_erp_id"),
        ),
    )
    op.create_table(
        "unknown_element",
        sa.Column("connection_code", sa.String(length=20), nullable=False),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "connection_code", "entity", "path", "day", name=op.f("pk_unknown_element")
        ),
    )
    op.create_table(
        "drift_report",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("feed_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("by_content", sa.Boolean(), nullable=False),
        sa.Column("erp_rows", sa.Integer(), nullable=False),
        sa.Column("our_rows", sa.Integer(), nullable=False),
        sa.Column("missing_here", sa.Integer(), nullable=False),
        sa.Column("missing_there", sa.Integer(), nullable=False),
        sa.Column("differing", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("erp_total", sa.String(length=32), nullable=False),
        sa.Column("our_total", sa.String(length=32), nullable=False),
        sa.Column("sample", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_drift_report_feed_id")),
        sa.ForeignKeyConstraint(["run_id"], ["sync_run.id"], name=op.f("fk_drift_report_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift_report")),
    )
    with op.batch_alter_table("drift_report", schema=None) as batch_op:
        batch_op.create_index("ix_drift_report_feed", ["feed_id", "id"], unique=False)

    op.create_table(
        "guard_stop",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("feed_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "threat",
            sa.Enum("change", "removal", name="threat", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("sample", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "approved",
                "refused",
                "used",
                name="guardstate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_guard_stop_feed_id")),
        sa.ForeignKeyConstraint(["run_id"], ["sync_run.id"], name=op.f("fk_guard_stop_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guard_stop")),
    )
    with op.batch_alter_table("guard_stop", schema=None) as batch_op:
        batch_op.create_index("ix_guard_stop_feed", ["feed_id", "state"], unique=False)

    with op.batch_alter_table("erp_connection", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("profile", sa.String(length=300), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("profile_digest", sa.String(length=80), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("wsdl_digest", sa.String(length=80), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("base_url", sa.String(length=300), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("company", sa.String(length=20), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("user", sa.String(length=80), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("secret", sa.String(length=600), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("params", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(
            sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true())
        )
        batch_op.add_column(
            sa.Column(
                "writes",
                sa.Enum("off", "dry-run", "on", name="writes", native_enum=False, length=24),
                nullable=False,
                server_default="off",
            )
        )
        batch_op.add_column(
            sa.Column("notices", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(
            sa.Column("notices_off_since", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("go_live_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("quiet", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("concurrency", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("per_minute", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("probe_until", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("feed", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("guard_percent", sa.Integer(), nullable=False, server_default="20")
        )
        batch_op.add_column(
            sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("load_started_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("load_rows", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("announced", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("gaps", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("reconcile_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("compared_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("lease_token", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("open_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("alerted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.alter_column(
            "cursor",
            existing_type=sa.VARCHAR(length=200),
            type_=sa.String(length=1000),
            existing_nullable=True,
        )

    with op.batch_alter_table("sync_run", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "kind",
                sa.Enum(
                    "load",
                    "delta",
                    "keys",
                    "compare",
                    "single",
                    name="runkind",
                    native_enum=False,
                    length=24,
                ),
                nullable=False,
                server_default="delta",
            )
        )
        batch_op.add_column(
            sa.Column("rows_removed", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column("rows_quarantined", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("rounds", sa.Integer(), nullable=False, server_default="1"))

    # What was connected before goes on as it was; a new connection starts with both off.
    op.execute(sa.text("UPDATE erp_connection SET writes = 'on', notices = true"))
    op.execute(sa.text("UPDATE feed SET watermark = NULL, cursor = NULL, pending_watermark = NULL"))


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM sync_run WHERE outcome = 'held'"))
    op.execute(sa.text("UPDATE feed SET cursor = NULL"))
    with op.batch_alter_table("sync_run", schema=None) as batch_op:
        batch_op.drop_column("rounds")
        batch_op.drop_column("rows_quarantined")
        batch_op.drop_column("rows_removed")
        batch_op.drop_column("kind")

    with op.batch_alter_table("feed", schema=None) as batch_op:
        batch_op.alter_column(
            "cursor",
            existing_type=sa.String(length=1000),
            type_=sa.VARCHAR(length=200),
            existing_nullable=True,
        )
        batch_op.drop_column("alerted_at")
        batch_op.drop_column("open_until")
        batch_op.drop_column("failures")
        batch_op.drop_column("lease_token")
        batch_op.drop_column("compared_at")
        batch_op.drop_column("reconcile_at")
        batch_op.drop_column("gaps")
        batch_op.drop_column("announced")
        batch_op.drop_column("load_rows")
        batch_op.drop_column("load_started_at")
        batch_op.drop_column("loaded_at")
        batch_op.drop_column("paused")
        batch_op.drop_column("guard_percent")

    with op.batch_alter_table("erp_connection", schema=None) as batch_op:
        batch_op.drop_column("probe_until")
        batch_op.drop_column("per_minute")
        batch_op.drop_column("concurrency")
        batch_op.drop_column("quiet")
        batch_op.drop_column("go_live_at")
        batch_op.drop_column("notices_off_since")
        batch_op.drop_column("notices")
        batch_op.drop_column("writes")
        batch_op.drop_column("active")
        batch_op.drop_column("params")
        batch_op.drop_column("secret")
        batch_op.drop_column("user")
        batch_op.drop_column("company")
        batch_op.drop_column("base_url")
        batch_op.drop_column("wsdl_digest")
        batch_op.drop_column("profile_digest")
        batch_op.drop_column("profile")

    with op.batch_alter_table("guard_stop", schema=None) as batch_op:
        batch_op.drop_index("ix_guard_stop_feed")

    op.drop_table("guard_stop")
    with op.batch_alter_table("drift_report", schema=None) as batch_op:
        batch_op.drop_index("ix_drift_report_feed")

    op.drop_table("drift_report")
    op.drop_table("unknown_element")
    op.drop_table("quarantined_row")
    with op.batch_alter_table("erp_ref_change", schema=None) as batch_op:
        batch_op.drop_index("ix_erp_ref_change")

    op.drop_table("erp_ref_change")
    op.drop_table("erp_ref")
    with op.batch_alter_table("erp_gate_place", schema=None) as batch_op:
        batch_op.drop_index("ix_erp_gate_place_account")

    op.drop_table("erp_gate_place")
    op.drop_table("erp_gate")
    op.drop_table("drift_notice")
