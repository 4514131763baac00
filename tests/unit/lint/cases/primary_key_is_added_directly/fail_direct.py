"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_primary_key("users_pkey", "users", ["id"])  # found
