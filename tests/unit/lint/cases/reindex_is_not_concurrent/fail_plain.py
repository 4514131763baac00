"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("REINDEX TABLE users")  # found
    op.execute("REINDEX INDEX idx_users_email")  # found
