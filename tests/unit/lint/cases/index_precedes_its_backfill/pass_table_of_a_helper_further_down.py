"""A revision."""

import sqlalchemy as sa
from alembic import op

import headway

revision = "r1"
down_revision = None


def upgrade():
    create()
    headway.create_index_concurrently("idx_totals_day", "totals", ["day"])
    headway.backfill("totals", {"day": "now()"}, where="day IS NULL")


def create():
    op.create_table("totals", sa.Column("day", sa.Date()))
