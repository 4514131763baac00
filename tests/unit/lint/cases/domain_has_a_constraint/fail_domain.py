"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("CREATE DOMAIN email AS text CHECK (value LIKE '%@%')")  # found
    op.execute("ALTER DOMAIN email ADD CONSTRAINT short CHECK (length(value) < 100)")  # found
