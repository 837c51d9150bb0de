"""a customer's open orders are found without reading those that are done"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NAME = "ix_order_account_state"


def upgrade() -> None:
    op.create_index(_NAME, "order", ["account_id", "state"], unique=False)


def downgrade() -> None:
    op.drop_index(_NAME, table_name="order")
