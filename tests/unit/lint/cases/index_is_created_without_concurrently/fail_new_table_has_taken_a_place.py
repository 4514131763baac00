"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("users_new", sa.Column("email", sa.Text()))
    op.execute("INSERT INTO users_new SELECT email FROM users")
    op.rename_table("users", "users_old")
    op.rename_table("users_new", "users")
    op.create_index("idx_users_email", "users", ["email"])  # found
