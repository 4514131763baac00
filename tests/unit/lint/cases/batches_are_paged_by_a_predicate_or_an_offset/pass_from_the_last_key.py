"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    connection = op.get_bind()
    last = 0
    while last is not None:
        last = connection.scalar(
            sa.text(
                "WITH batch AS (SELECT id FROM users WHERE id > :last ORDER BY id LIMIT 1000), done AS ("
                "UPDATE users SET a = 1 FROM batch WHERE users.id = batch.id RETURNING users.id) "
                "SELECT max(id) FROM done"
            ),
            {"last": last},
        )
