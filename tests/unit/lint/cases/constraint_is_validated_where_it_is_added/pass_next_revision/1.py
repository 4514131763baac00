"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0) NOT VALID")
