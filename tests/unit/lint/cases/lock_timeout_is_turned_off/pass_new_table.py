"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("SET lock_timeout = 0")
    op.create_table("users", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("users", sa.Column("a", sa.Text()))
