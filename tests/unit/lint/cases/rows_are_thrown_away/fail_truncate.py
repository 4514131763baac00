"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("TRUNCATE users CASCADE")  # found
    op.execute("TRUNCATE TABLE events")  # found
    with op.get_context().autocommit_block():
        op.execute("DROP DATABASE old")  # found
