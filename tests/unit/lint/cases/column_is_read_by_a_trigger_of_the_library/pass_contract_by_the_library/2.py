"""A revision."""

import headway

revision = "r2"
down_revision = "r1"


def upgrade():
    headway.rename_column_contract("books", "pages", "sheets")
