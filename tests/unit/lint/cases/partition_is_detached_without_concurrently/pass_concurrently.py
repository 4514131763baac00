"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE events DETACH PARTITION events_2020 CONCURRENTLY")
