"""Index events by date, concurrently in production

The environment decides only how the index is built, never whether: so the schema is the same everywhere, and a
downgrade works in any environment, whatever ENVIRONMENT said when the index was made.
"""

import os

import sqlalchemy as sa
from alembic import op

revision = "index_events"
down_revision = "create_events"
branch_labels = None
depends_on = None

NAME = "idx_events_created"
COLUMNS = [sa.text("created_at DESC")]


def upgrade():
    if os.getenv("ENVIRONMENT") != "production":
        op.create_index(NAME, "events", COLUMNS)
        return
    with op.get_context().autocommit_block():
        op.drop_index(NAME, table_name="events", postgresql_concurrently=True, if_exists=True)
        op.create_index(NAME, "events", COLUMNS, postgresql_concurrently=True)


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index(NAME, table_name="events", postgresql_concurrently=True, if_exists=True)
