"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r3"
down_revision = "r2"


def upgrade():
    op.alter_column("metrics", "key", type_=sa.Text())
    op.alter_column("metrics", "run", type_=sa.String(32), nullable=False)
