"""A revision."""

import headway

revision = "r1"
down_revision = None


def upgrade():
    headway.backfill("users", {"status": "'active'"}, where="status IS NULL")
    headway.set_not_null_online("users", "status")  # found
