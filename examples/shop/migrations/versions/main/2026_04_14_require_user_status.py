"""Require users.status

SET NOT NULL alone would read the whole table under a lock that stops everybody. Here a check that is not yet valid is
added at once, VALIDATE reads the table while reads and writes go on, and then PostgreSQL (12 and later) takes the
check as the proof and reads nothing. It is refused while the backfill is not complete, and a rerun goes on.
"""

from headway import drop_not_null_online, set_not_null_online

revision = "require_user_status"
down_revision = "backfill_user_status"
branch_labels = None
depends_on = None


def upgrade():
    set_not_null_online("users", "status")


def downgrade():
    drop_not_null_online("users", "status")
