"""A revision."""

from alembic import op

revision = "r3"
down_revision = "r2"


def upgrade():
    op.alter_column("metrics", "key", nullable=False)  # found
