"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.alter_column("users", "name", nullable=False, existing_nullable=True, existing_type=sa.Text())  # found
