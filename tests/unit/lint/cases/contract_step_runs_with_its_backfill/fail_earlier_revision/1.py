"""A revision."""

from headway import backfill

revision = "r1"
down_revision = None


def upgrade():
    backfill("users", {"full_name": "first || ' ' || name"}, where="full_name IS NULL")
