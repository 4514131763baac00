"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.alter_column("orders", "state", server_default="open")  # found
