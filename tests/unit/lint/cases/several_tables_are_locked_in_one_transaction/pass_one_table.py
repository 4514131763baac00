"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("kinds", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("kinds", sa.Column("a", sa.Text()))
    op.add_column("users", sa.Column("a", sa.Text()))
