"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("orders", sa.Column("amount", sa.Integer(), sa.CheckConstraint("amount > 0")))
    op.add_column("orders", sa.Column("parts", sa.Integer(), sa.CheckConstraint("parts > 0")))
    op.add_column("users", sa.Column("parts", sa.Integer(), sa.ForeignKey("parts.id")))
