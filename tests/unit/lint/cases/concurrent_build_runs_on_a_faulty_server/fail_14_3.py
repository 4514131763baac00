"""A revision."""

from headway import create_index_concurrently

# server: 14.3

revision = "r1"
down_revision = None


def upgrade():
    create_index_concurrently("idx_users_email", "users", ["email"])  # found
