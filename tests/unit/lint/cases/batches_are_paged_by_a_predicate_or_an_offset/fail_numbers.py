"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    for low in range(0, 3000, 1000):
        op.execute(f"UPDATE users SET a = 1 WHERE id BETWEEN {low} AND {low + 999}")  # found
