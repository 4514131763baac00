"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    for name in ("orders", "users"):
        op.add_column(name, sa.Column("tenant", sa.Text()))
