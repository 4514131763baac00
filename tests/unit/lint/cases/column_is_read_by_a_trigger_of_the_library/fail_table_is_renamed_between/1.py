"""A revision."""

import sqlalchemy as sa

import headway

revision = "r1"
down_revision = None


def upgrade():
    headway.add_column_with_backfill("books", sa.Column("shelf", sa.Text()), "'S' || (pages / 10)")
