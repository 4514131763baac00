"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("REVOKE ALL ON users FROM shop")  # found
    op.execute("ALTER EXTENSION postgis UPDATE")  # found
