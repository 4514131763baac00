"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("UPDATE users SET status = 'active'")
    op.alter_column("users", "status", nullable=False, existing_server_default=sa.text("'new'"))
