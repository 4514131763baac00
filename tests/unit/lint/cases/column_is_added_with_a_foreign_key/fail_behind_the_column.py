"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE orders ADD COLUMN shop_id bigint REFERENCES shops (id)")  # found
