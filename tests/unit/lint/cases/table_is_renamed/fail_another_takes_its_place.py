"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("users_new", sa.Column("id", sa.Integer(), primary_key=True))
    op.rename_table("users", "users_old")  # found
    op.rename_table("users_new", "users")
