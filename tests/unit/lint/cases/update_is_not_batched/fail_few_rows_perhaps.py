"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("UPDATE users SET status = 'active' WHERE kind = 'member' AND plan IN ('a', 'b')")  # found
