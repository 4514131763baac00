"""Index orders by customer and date, concurrently

The index is the only thing in this revision, because CONCURRENTLY cannot be part of a transaction. A run that was
interrupted leaves an index that is not valid, under its name; the next run drops it and builds a good one, where
IF NOT EXISTS would keep the bad one and call it done.
"""

import sqlalchemy as sa

from headway import create_index_concurrently, drop_index_concurrently

revision = "index_orders"
down_revision = "require_user_status"
branch_labels = None
depends_on = None

NAME = "idx_orders_customer_date"


def upgrade():
    create_index_concurrently(
        NAME, "orders", ["customer_id", sa.text("created_at DESC")], where="status <> 'cancelled'"
    )


def downgrade():
    drop_index_concurrently(NAME, "orders")
