"""A revision."""

from alembic import op

import headway

revision = "r2"
down_revision = "r1"


def upgrade():
    op.drop_column("books", "pages")  # found
    headway.stop_filling_column("books", "shelf")
