"""Backfill users.full_name

The rows from before the trigger. What is written from now on is right already, so a row that the application
changes meanwhile is not touched again.
"""

import sqlalchemy as sa
from alembic import op

revision = "backfill_full_name"
down_revision = "expand_user_name"
branch_labels = None
depends_on = None

BATCH_SIZE = 5000
NEXT_END = sa.text(
    "SELECT max(id) FROM (SELECT id FROM users WHERE id > :start ORDER BY id LIMIT :size) AS batch"
)
FILL = sa.text("""
    UPDATE users
    SET full_name = name
    WHERE id > :start AND id <= :end AND full_name IS NULL
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
