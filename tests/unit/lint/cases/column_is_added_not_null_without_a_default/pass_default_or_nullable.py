"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.add_column("users", sa.Column("status", sa.Text(), nullable=False, server_default="new"))
    op.add_column("users", sa.Column("kind", sa.Text()))
    op.create_table("kinds", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("kinds", sa.Column("name", sa.Text(), nullable=False))
