"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY idx ON users (email)")
        op.execute("CREATE INDEX IF NOT EXISTS idx2 ON users (email)")
