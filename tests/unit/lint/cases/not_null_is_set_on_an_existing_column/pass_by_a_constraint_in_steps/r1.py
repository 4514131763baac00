"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE users ADD CONSTRAINT nn NOT NULL email NOT VALID")
