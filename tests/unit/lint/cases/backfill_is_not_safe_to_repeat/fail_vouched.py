"""A revision."""

from headway import backfill

revision = "r1"
down_revision = None


def upgrade():
    backfill("accounts", {"token": "gen_random_uuid()"}, exactly_once=False)  # found
