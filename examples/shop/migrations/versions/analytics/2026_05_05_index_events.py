"""Index events by date, concurrently in production

The environment decides only how the index is built, never whether: so the schema is the same everywhere, and a
downgrade works in any environment, whatever ENVIRONMENT said when the index was made.
"""

import sqlalchemy as sa
from alembic import op

from headway import create_index_concurrently, drop_index_concurrently, in_environment

revision = "index_events"
down_revision = "create_events"
branch_labels = None
depends_on = None

NAME = "idx_events_created"
COLUMNS = [sa.text("created_at DESC")]


def upgrade():
    if in_environment("production", otherwise="the same index is built at once, and writers wait for it"):
        create_index_concurrently(NAME, "events", COLUMNS)
    else:
        # headway: ignore index_is_created_without_concurrently because only production has writers
        op.create_index(NAME, "events", COLUMNS)


def downgrade():
    drop_index_concurrently(NAME, "events")
