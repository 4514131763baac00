"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE users ADD COLUMN a integer; ALTER TABLE users ADD COLUMN b integer")
