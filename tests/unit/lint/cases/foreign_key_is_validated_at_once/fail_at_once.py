"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_foreign_key("orders_user", "orders", "users", ["user_id"], ["id"])  # found
