"""A revision."""

import headway

revision = "r2"
down_revision = "r1"


def upgrade():
    headway.backfill("users", {"age__new": "0"}, where="age__new IS NULL")
