"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_unique_constraint("users_email_key", "users", ["email"])  # found
