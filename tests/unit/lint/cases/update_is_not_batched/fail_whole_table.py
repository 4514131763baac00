"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("UPDATE users SET status = 'active'")  # found
    op.execute("DELETE FROM events WHERE created < now() - interval '1 year'")  # found
