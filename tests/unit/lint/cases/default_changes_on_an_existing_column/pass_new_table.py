"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE kinds (state text)")
    op.alter_column("kinds", "state", server_default="open")
