"""rows of a bill of material hold from a day to a day, and may stand in for another component"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

COLUMNS = (
    ("valid_from", sa.Date(), "0001-01-01"),
    ("valid_to", sa.Date(), "9999-12-31"),
    ("stands_in_for", sa.String(length=60), ""),
)
OLD, NEW = "uq_bom_row_item_no_component_no", "uq_bom_row"
# What the old table cannot tell apart would all count as one need.
NOT_TODAY = """
    DELETE FROM bom_row
    WHERE stands_in_for <> '' OR CURRENT_DATE NOT BETWEEN valid_from AND valid_to"""
TWICE = """
    DELETE FROM bom_row
    WHERE id NOT IN (SELECT MIN(id) FROM bom_row GROUP BY item_no, component_no)"""


def upgrade() -> None:
    with op.batch_alter_table("bom_row") as batch:
        for name, kind, always in COLUMNS:
            batch.add_column(sa.Column(name, kind, nullable=False, server_default=always))
        batch.drop_constraint(OLD, type_="unique")
        batch.create_unique_constraint(
            NEW, ["item_no", "component_no", "stands_in_for", "valid_from", "valid_to"]
        )
    with op.batch_alter_table("bom_row") as batch:
        for name, _kind, _always in COLUMNS:
            batch.alter_column(name, server_default=None)


def downgrade() -> None:
    op.execute(NOT_TODAY)
    op.execute(TWICE)
    with op.batch_alter_table("bom_row") as batch:
        batch.drop_constraint(NEW, type_="unique")
        batch.create_unique_constraint(OLD, ["item_no", "component_no"])
        for name, _kind, _always in COLUMNS:
            batch.drop_column(name)
