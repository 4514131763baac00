"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.add_column("users", sa.Column("kind", sa.Text(), server_default="a"))
    op.add_column("users", sa.Column("created", sa.DateTime(timezone=True), server_default=sa.func.now()))
