"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.drop_index("idx_users_email", "users")  # found
    op.create_index("idx_users_email", "users", ["email", "tenant"])
