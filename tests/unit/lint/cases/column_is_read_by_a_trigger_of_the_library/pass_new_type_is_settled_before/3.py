"""A revision."""

from alembic import op

revision = "r3"
down_revision = "r2"


def upgrade():
    op.alter_column("books", "pages", new_column_name="sheets")
