"""A revision."""

from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.rename_table("books", "volumes")
    op.rename_table("papers", "books")
