"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("DROP TABLE carts CASCADE")  # found
    op.execute("ALTER TABLE users DROP COLUMN a CASCADE")  # found
    op.execute("DROP VIEW v CASCADE")  # found
