"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    connection = op.get_bind()
    for start in range(0, 100000, 1000):
        rows = connection.execute(
            sa.text(f"SELECT id FROM users ORDER BY id LIMIT 1000 OFFSET {start}")
        )  # found
        print(rows)
