"""A revision."""

import headway

revision = "r2"
down_revision = "r1"


def upgrade():
    headway.backfill("users", {"status": "'active'"}, where="status IS NULL")
