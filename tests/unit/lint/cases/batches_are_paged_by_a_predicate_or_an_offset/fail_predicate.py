"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    connection = op.get_bind()
    while True:
        done = connection.execute(  # found
            sa.text("UPDATE users SET a = 1 WHERE id IN (SELECT id FROM users WHERE a IS NULL LIMIT 1000)")
        )
        if done.rowcount == 0:
            break
