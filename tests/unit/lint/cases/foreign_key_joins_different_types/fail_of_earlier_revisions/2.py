"""A revision."""

from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.create_foreign_key(
        "orders_user", "orders", "users", ["user_id"], ["id"], postgresql_not_valid=True
    )  # found
