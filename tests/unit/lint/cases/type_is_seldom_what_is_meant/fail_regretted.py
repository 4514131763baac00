"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.add_column("users", sa.Column("seen", sa.DateTime()))  # found
    op.add_column("users", sa.Column("data", sa.JSON()))  # found
    op.execute("CREATE TABLE kinds (id integer PRIMARY KEY, code char(3))")  # found
