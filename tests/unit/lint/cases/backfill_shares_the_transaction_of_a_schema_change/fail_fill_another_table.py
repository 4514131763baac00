"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("archive", sa.Column("id", sa.Integer(), primary_key=True))
    op.alter_column("users", "name", nullable=True)
    op.execute("INSERT INTO archive (id) SELECT id FROM users WHERE left_at IS NOT NULL")  # found
