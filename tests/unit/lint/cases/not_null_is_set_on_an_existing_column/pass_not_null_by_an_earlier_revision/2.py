"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.add_column("metrics", sa.Column("step", sa.BigInteger(), server_default="0", nullable=False))
