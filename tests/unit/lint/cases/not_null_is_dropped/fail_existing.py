"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.alter_column("users", "name", nullable=True)  # found
