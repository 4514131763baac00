"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("copy", sa.Column("email", sa.Text()))
    op.rename_table("copy", "users")
    op.create_index("idx_users_email", "users", ["email"])
