"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.drop_table("books")
    op.create_table("books", sa.Column("pages", sa.Text()))
    op.drop_column("books", "pages")
