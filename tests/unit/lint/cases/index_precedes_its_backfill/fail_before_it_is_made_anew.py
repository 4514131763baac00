"""A revision."""

import sqlalchemy as sa
from alembic import op

import headway

revision = "r1"
down_revision = None


def upgrade():
    headway.create_index_concurrently("idx_users_email", "users", ["email"])
    headway.backfill("users", {"email": "lower(email)"}, name="lower")  # found
    op.rename_table("users", "users_old")
    op.create_table("users", sa.Column("email", sa.Text()))
