"""A revision."""

from headway import backfill, create_index_concurrently

revision = "r1"
down_revision = None


def upgrade():
    create_index_concurrently("idx_users_status", "users", ["status"])
    backfill("users", {"status": "'active'"}, where="status IS NULL")  # found
