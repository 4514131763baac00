"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    connection = op.get_bind()
    last = 0
    while True:
        with op.get_context().autocommit_block():
            done = connection.execute(
                sa.text("UPDATE users SET status = 'active' WHERE id > :last AND id <= :last + 1000"),
                {"last": last},
            )
        if done.rowcount == 0:
            break
        last += 1000
