"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE users ADD COLUMN token text UNIQUE")  # found
    op.execute("ALTER TABLE orders ADD COLUMN id bigint PRIMARY KEY")  # found
