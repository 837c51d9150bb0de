"""days lost of lines that have come, why promises were moved, and what the ERP told late"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

REASONS = {
    "material": "Material is late",
    "capacity": "Capacity is short",
    "quality": "Quality needs time",
    "customer": "The customer asked for it",
    "transport": "Transport is delayed",
    "earlier": "We can deliver earlier",
    "other": "Other",
}


def upgrade() -> None:
    for table in ("purchase_line", "work_order"):
        op.add_column(table, sa.Column("shown_open_on", sa.Date(), nullable=True))
    op.add_column("line_projection", sa.Column("came_on", sa.Date(), nullable=True))
    op.create_index("ix_line_projection_came", "line_projection", ["came_on"])
    op.add_column(
        "promise",
        sa.Column("reason_code", sa.String(length=20), nullable=False, server_default=""),
    )
    op.execute("UPDATE promise SET reason_code = 'customer' WHERE kind = 'amended'")
    said = sa.text(
        "UPDATE promise SET reason_code = :code"
        " WHERE kind = 'moved' AND CAST(reason AS TEXT) LIKE :said"
    )
    for code, text in REASONS.items():
        op.execute(said.bindparams(code=code, said=f'%"{text}"%'))
    with op.batch_alter_table("promise") as batch:
        batch.alter_column("reason_code", server_default=None)
    # Closed orders, too: where their days were lost is computed by the next jobs.
    op.execute("UPDATE order_projection SET stale = true")
    _sum_anew()


def _sum_anew() -> None:
    """The board's sums hold lost days in a shape of their own: they are made again when needed."""
    op.execute("DELETE FROM figure_sheet")
    op.execute("DELETE FROM figure_run")


def downgrade() -> None:
    # Shares of kinds that were not known before would be read by nobody.
    op.execute("UPDATE line_projection SET lost = NULL")
    op.execute("UPDATE order_projection SET stale = true")
    _sum_anew()
    op.drop_column("promise", "reason_code")
    op.drop_index("ix_line_projection_came", "line_projection")
    op.drop_column("line_projection", "came_on")
    for table in ("work_order", "purchase_line"):
        op.drop_column(table, "shown_open_on")
