"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.drop_column("metrics", "key")
    op.add_column("metrics", sa.Column("key", sa.String(250)))
