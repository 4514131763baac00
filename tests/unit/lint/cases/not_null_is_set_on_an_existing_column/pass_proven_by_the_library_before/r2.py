"""A revision."""

from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.alter_column("users", "status", nullable=False)
