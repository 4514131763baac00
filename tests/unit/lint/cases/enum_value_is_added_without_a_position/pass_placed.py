"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TYPE priority ADD VALUE IF NOT EXISTS 'medium' AFTER 'low'")
