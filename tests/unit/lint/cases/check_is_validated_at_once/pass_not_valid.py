"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_check_constraint("positive", "orders", "amount > 0", postgresql_not_valid=True)
