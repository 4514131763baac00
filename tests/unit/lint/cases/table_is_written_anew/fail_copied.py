"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE users SET TABLESPACE fast")  # found
    op.execute("CLUSTER users USING idx")  # found
    with op.get_context().autocommit_block():
        op.execute("VACUUM (FULL, ANALYZE) users")  # found
