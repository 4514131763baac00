"""Backfill users.status

Batches along the primary key, each committed by itself (that is what `autocommit_block` is for): no row stays
locked longer than a batch takes. A batch leaves alone what is done, so a run that was interrupted is simply
started again.
"""

import sqlalchemy as sa
from alembic import op

revision = "backfill_user_status"
down_revision = "add_user_status"
branch_labels = None
depends_on = None

BATCH_SIZE = 5000
NEXT_END = sa.text(
    "SELECT max(id) FROM (SELECT id FROM users WHERE id > :start ORDER BY id LIMIT :size) AS batch"
)
FILL = sa.text("""
    UPDATE users
    SET status = CASE WHEN is_active THEN 'active' ELSE 'inactive' END
    WHERE id > :start AND id <= :end AND status IS NULL
""")


def upgrade():
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        start = 0
        while end := connection.execute(NEXT_END, {"start": start, "size": BATCH_SIZE}).scalar():
            connection.execute(FILL, {"start": start, "end": end})
            start = end


def downgrade():
    """Nothing to undo: the column goes with the revision before."""
