"""Backfill payments

The orders from before there were payments get theirs. A loop written by hand, because headway.backfill fills columns
and here whole rows are made. It follows the same rules: batches by a range of the key, each committed by itself, in a
revision that does nothing else, and NOT EXISTS for a rerun and for what the application writes meanwhile. What it
cannot have: a pause between batches, a script (--sql), and its statements in the plan.
"""
# headway: ignore revision_is_not_rendered because it only adds rows, a batch at a time

import sqlalchemy as sa
from alembic import op

revision = "backfill_payments"
down_revision = "expand_user_name"
branch_labels = None
depends_on = None

BATCH_SIZE = 5000
NEXT_END = sa.text(
    "SELECT max(id) FROM (SELECT id FROM orders WHERE id > :start ORDER BY id LIMIT :size) AS batch"
)
FILL = sa.text("""
    INSERT INTO payments (order_id, amount_cents, created_at)
    SELECT orders.id, products.price_cents, orders.created_at
    FROM orders JOIN products ON products.id = orders.product_id
    WHERE orders.id > :start AND orders.id <= :end AND orders.status <> 'cancelled'
    AND NOT EXISTS (SELECT FROM payments WHERE payments.order_id = orders.id)
""")


def upgrade():
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        start = 0
        while end := connection.execute(NEXT_END, {"start": start, "size": BATCH_SIZE}).scalar():
            connection.execute(FILL, {"start": start, "end": end})
            start = end


def downgrade():
    """Nothing to undo: the payments go with their table."""
