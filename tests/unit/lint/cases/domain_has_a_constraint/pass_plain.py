"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("CREATE DOMAIN email AS text")
