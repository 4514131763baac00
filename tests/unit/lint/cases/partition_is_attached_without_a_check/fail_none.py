"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE events ATTACH PARTITION old FOR VALUES IN (1)")  # found
