"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("kinds", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.Text()))
    op.execute("INSERT INTO kinds (id, name) VALUES (1, 'a'), (2, 'b')")
    op.execute("UPDATE kinds SET name = 'c' WHERE id = 1")
