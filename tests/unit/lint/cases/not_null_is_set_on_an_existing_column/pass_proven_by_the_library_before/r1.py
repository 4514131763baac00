"""A revision."""

import headway

revision = "r1"
down_revision = None


def upgrade():
    headway.add_check_online("nn", "users", "status IS NOT NULL")
