"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.add_column("users", sa.Column("seen", sa.DateTime(timezone=True)))
    op.execute("CREATE TABLE kinds (id bigint PRIMARY KEY, code text)")
