"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.alter_column("users", "code", type_=sa.String(100), existing_type=sa.String(50))
    op.alter_column("orders", "code", type_=sa.String(100), existing_type=sa.String(200))  # found
