"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_index("idx_users_email_tenant", "users", ["email", "tenant"])
    op.drop_index("idx_users_email", "users")
