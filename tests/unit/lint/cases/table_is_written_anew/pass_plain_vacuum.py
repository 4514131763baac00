"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("VACUUM (ANALYZE) users")
        op.execute("VACUUM (FULL false) users")
