"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("UPDATE accounts SET balance = balance * 100")
