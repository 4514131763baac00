"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("DROP TABLE IF EXISTS totals")
    op.create_table("totals", sa.Column("day", sa.Date()), if_not_exists=True)
    op.create_index("idx_totals_day", "totals", ["day"])
