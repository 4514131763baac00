"""A revision."""

from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.alter_column("books", "pages_8", new_column_name="sheets")  # found
