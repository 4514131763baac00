"""A revision."""

from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.execute("DROP TRIGGER zz_headway_fill_shelf_insert ON books")
    op.execute("DROP TRIGGER zz_headway_fill_shelf_update ON books")
    op.drop_column("books", "pages")
