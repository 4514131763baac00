"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE old ADD CONSTRAINT bounds CHECK (kind = 1) NOT VALID")
