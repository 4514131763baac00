"""Backfill users.status

In batches while the shop is open, each committed by itself with a note of where it stands: no row stays locked longer
than a batch takes, and a run that was interrupted goes on behind its last batch. The condition makes it complete:
it is swept again until no row meets it.
"""

from headway import backfill

revision = "backfill_user_status"
down_revision = "add_user_status"
branch_labels = None
depends_on = None


def upgrade():
    backfill(
        "users",
        {"status": "CASE WHEN is_active THEN 'active' ELSE 'inactive' END"},
        where="status IS NULL",
    )


def downgrade():
    """Nothing to undo: the column goes with the revision before."""
