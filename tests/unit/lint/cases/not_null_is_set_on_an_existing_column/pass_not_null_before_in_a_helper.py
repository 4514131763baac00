"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    for table in ("users", "customers"):
        op.alter_column(table, "email", existing_nullable=False, nullable=False)
