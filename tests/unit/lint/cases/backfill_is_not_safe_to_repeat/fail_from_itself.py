"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    for low in range(0, 3000, 1000):
        with op.get_context().autocommit_block():
            op.execute(
                f"UPDATE accounts SET balance = balance * 100 WHERE id BETWEEN {low} AND {low + 999}"
            )  # found
