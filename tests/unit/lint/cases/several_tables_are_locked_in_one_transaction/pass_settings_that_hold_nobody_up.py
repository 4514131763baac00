"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE users SET (autovacuum_vacuum_scale_factor = 0.01)")
    op.execute("ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0.01)")
