"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.add_column("orders", sa.Column("shop_id", sa.BigInteger()))
