"""why an exchange failed, in the reader's language; nobody wrote what a reference merged into"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

_REFERENCES = ("erp_ref", "erp_ref_change")
_ROWS = sa.table("envelope", sa.column("id"), sa.column("error", sa.String))
_TOLD = sa.table("envelope", sa.column("id"), sa.column("reason", sa.JSON(none_as_null=True)))


def upgrade() -> None:
    op.add_column("envelope", sa.Column("reason", sa.JSON(none_as_null=True), nullable=True))
    db = op.get_bind()
    for row in db.execute(sa.select(_ROWS).where(_ROWS.c.error != "")).all():
        said = {"id": row.error.replace("%", "%%"), "params": {}}
        db.execute(sa.update(_TOLD).where(_TOLD.c.id == row.id).values(reason=said))
    with op.batch_alter_table("envelope", schema=None) as batch_op:
        batch_op.drop_column("error")
        batch_op.alter_column("reason", new_column_name="error")
    for table in _REFERENCES:
        op.drop_column(table, "merged_into")


def downgrade() -> None:
    for table in _REFERENCES:
        op.add_column(table, sa.Column("merged_into", sa.String(length=120), nullable=True))
    with op.batch_alter_table("envelope", schema=None) as batch_op:
        batch_op.alter_column("error", new_column_name="reason")
    op.add_column(
        "envelope", sa.Column("error", sa.String(length=300), nullable=False, server_default="")
    )
    db = op.get_bind()
    for row in db.execute(sa.select(_TOLD).where(_TOLD.c.reason.is_not(None))).all():
        text = row.reason["id"].replace("%%", "%")[:300]
        db.execute(sa.update(_ROWS).where(_ROWS.c.id == row.id).values(error=text))
    with op.batch_alter_table("envelope", schema=None) as batch_op:
        batch_op.alter_column("error", server_default=None)
        batch_op.drop_column("reason")
