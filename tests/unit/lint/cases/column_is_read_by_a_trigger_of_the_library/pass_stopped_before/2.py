"""A revision."""

import headway

revision = "r2"
down_revision = "r1"


def upgrade():
    headway.stop_filling_column("books", "shelf")
