"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("orders", sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id"), index=True))
    op.create_table("links", sa.Column("a", sa.Integer(), sa.ForeignKey("users.id"), primary_key=True))
