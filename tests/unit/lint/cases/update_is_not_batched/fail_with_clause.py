"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute(
        "WITH old AS (DELETE FROM events WHERE kind < 3 RETURNING id) SELECT count(*) FROM old"
    )  # found
