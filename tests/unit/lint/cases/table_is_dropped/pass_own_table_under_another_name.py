"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("copy", sa.Column("id", sa.Integer(), primary_key=True))
    op.rename_table("copy", "kept", schema=None)
    op.drop_table("kept")
