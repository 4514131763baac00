"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.alter_column("metrics", "value", type_=sa.Numeric(12, 2))  # found
    op.alter_column("metrics", "key", type_=sa.String(100))  # found
