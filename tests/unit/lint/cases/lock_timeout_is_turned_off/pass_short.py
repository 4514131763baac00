"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("SET lock_timeout = '3s'")
    op.add_column("users", sa.Column("a", sa.Text()))
    op.execute("SET lock_timeout = 0")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY idx ON users (a)")
