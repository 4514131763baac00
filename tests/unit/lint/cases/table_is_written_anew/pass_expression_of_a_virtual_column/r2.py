"""A revision."""

from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.execute("ALTER TABLE users ALTER COLUMN low SET EXPRESSION AS (lower(email))")
    op.execute("ALTER TABLE users ALTER COLUMN low SET STATISTICS 500")
