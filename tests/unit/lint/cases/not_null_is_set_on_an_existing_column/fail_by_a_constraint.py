"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE users ADD CONSTRAINT nn NOT NULL email")  # found
    op.execute("ALTER TABLE users ADD NOT NULL status")  # found
