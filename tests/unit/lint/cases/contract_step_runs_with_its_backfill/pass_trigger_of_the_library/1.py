"""A revision."""

import sqlalchemy as sa

import headway

revision = "r1"
down_revision = None


def upgrade():
    headway.add_column_with_backfill("users", sa.Column("status", sa.Text()), "'active'")
