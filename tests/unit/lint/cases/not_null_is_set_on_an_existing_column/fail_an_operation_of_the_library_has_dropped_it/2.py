"""A revision."""

import headway

revision = "r2"
down_revision = "r1"


def upgrade():
    headway.drop_not_null_online("metrics", "key")
