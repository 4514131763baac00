"""A revision."""

from alembic import op

revision = "r3"
down_revision = "r2"


def upgrade():
    op.set_not_null_online("users", "status")  # found
