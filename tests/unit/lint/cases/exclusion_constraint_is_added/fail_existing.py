"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE bookings ADD CONSTRAINT once EXCLUDE USING gist (room WITH =)")  # found
