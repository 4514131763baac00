"""A revision."""

from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    if op.get_context().dialect.name == "mysql":
        op.alter_column("metrics", "key", nullable=True)
