"""A revision."""

from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.execute("ALTER TABLE old VALIDATE CONSTRAINT bounds")
    op.execute("ALTER TABLE events ATTACH PARTITION old FOR VALUES IN (1)")
