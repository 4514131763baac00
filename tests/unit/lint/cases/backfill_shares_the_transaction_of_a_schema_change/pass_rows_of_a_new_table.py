"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("kinds", sa.Column("name", sa.Text()))
    op.execute("INSERT INTO kinds (name) VALUES ('a'), ('b')")
    op.alter_column("users", "kind", nullable=True)
    op.execute("INSERT INTO labels (name) SELECT name FROM kinds")
