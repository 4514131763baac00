"""Index orders by customer and date, concurrently

The index is the only thing in this revision, because CONCURRENTLY cannot be part of a transaction. A run that was
interrupted leaves an index that is not valid, under its name; dropping first makes the next run build a good one,
where IF NOT EXISTS would keep the bad one and call it done.
"""

import sqlalchemy as sa
from alembic import op

revision = "index_orders"
down_revision = "require_user_status"
branch_labels = None
depends_on = None

NAME = "idx_orders_customer_date"


def drop():
    op.drop_index(NAME, table_name="orders", postgresql_concurrently=True, if_exists=True)


def upgrade():
    with op.get_context().autocommit_block():
        drop()
        op.create_index(
            NAME,
            "orders",
            ["customer_id", sa.text("created_at DESC")],
            postgresql_where=sa.text("status <> 'cancelled'"),
            postgresql_concurrently=True,
        )


def downgrade():
    with op.get_context().autocommit_block():
        drop()
