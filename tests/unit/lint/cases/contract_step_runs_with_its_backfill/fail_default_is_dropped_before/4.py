"""A revision."""

from alembic import op

revision = "r4"
down_revision = "r3"


def upgrade():
    op.alter_column("users", "status", nullable=False)  # found
