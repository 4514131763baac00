"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.alter_column("users", "other", type_=sa.String(20), existing_type=sa.String(10))
