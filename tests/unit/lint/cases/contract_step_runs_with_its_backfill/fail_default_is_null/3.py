"""A revision."""

import headway

revision = "r3"
down_revision = "r2"


def upgrade():
    headway.set_not_null_online("users", "status")  # found
