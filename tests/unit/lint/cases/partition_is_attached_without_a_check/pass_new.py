"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE fresh (LIKE events)")
    op.execute("ALTER TABLE events ATTACH PARTITION fresh FOR VALUES IN (2)")
