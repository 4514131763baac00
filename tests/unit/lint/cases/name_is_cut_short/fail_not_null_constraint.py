"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute(
        "ALTER TABLE u ADD CONSTRAINT noooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo NOT NULL a"
    )  # found
