"""A revision."""

from headway import backfill

revision = "r1"
down_revision = None


def upgrade():
    backfill("users", {"status": "'active'"}, where="status IS NULL")
