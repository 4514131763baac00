"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("UPDATE users SET status = 'active'")
    op.execute("INSERT INTO kinds (id) VALUES (1)")
