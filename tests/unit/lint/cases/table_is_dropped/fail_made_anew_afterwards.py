"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.drop_table("users")  # found
    op.create_table("users", sa.Column("id", sa.Integer(), primary_key=True))
