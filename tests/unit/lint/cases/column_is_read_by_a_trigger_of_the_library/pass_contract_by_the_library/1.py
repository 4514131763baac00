"""A revision."""

import headway

revision = "r1"
down_revision = None


def upgrade():
    headway.rename_column_expand("books", "pages", "sheets")
