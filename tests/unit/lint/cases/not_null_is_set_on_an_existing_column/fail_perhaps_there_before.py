"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("users", sa.Column("email", sa.Text()), if_not_exists=True)
    op.alter_column("users", "email", nullable=False)  # found
