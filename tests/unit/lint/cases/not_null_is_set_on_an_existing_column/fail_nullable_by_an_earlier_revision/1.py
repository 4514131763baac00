"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table(
        "metrics",
        sa.Column("key", sa.String(250), nullable=False),
        sa.Column("run", sa.String(32), primary_key=True),
        sa.Column("value", sa.Float(), nullable=True),
    )
