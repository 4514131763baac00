"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE users ADD COLUMN low text GENERATED ALWAYS AS (lower(name)) VIRTUAL")
