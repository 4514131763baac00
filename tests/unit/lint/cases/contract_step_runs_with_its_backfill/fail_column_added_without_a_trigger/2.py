"""A revision."""

import headway

revision = "r2"
down_revision = "r1"


def upgrade():
    headway.set_not_null_online("users", "status")  # found
