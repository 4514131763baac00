"""A revision."""

from alembic import op
from headway import backfill

revision = "r1"
down_revision = None


def upgrade():
    backfill("accounts", {"token": "gen_random_uuid()"}, where="token IS NULL", exactly_once=False)
    backfill("accounts", {"balance": "balance * 100"})
    with op.get_context().autocommit_block():
        op.execute("UPDATE accounts SET cents = balance * 100")
