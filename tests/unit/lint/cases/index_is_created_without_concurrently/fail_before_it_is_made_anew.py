"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_index("idx_users_email", "users", ["email"])  # found
    op.rename_table("users", "users_old")
    op.create_table("users", sa.Column("email", sa.Text()))
