"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("DELETE FROM users WHERE id IN (SELECT id FROM users WHERE name IS NULL LIMIT 10)")
