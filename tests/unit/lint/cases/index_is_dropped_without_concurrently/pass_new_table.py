"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("kinds", sa.Column("id", sa.Integer(), index=True))
    op.drop_index("ix_kinds_id", table_name="kinds")
