"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.alter_column("users", "name", new_column_name="full_name")  # found
