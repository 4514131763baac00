"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.add_column(
        "orders", sa.Column("amount", sa.Integer(), sa.CheckConstraint("amount > 0", name="positive"))
    )  # found
    op.execute("ALTER TABLE orders ADD COLUMN parts int CHECK (parts > 0)")  # found
