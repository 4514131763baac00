"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table(
        "users",
        sa.Column("code", sa.String(10), sa.CheckConstraint("code <> ''", name="code_there")),
        sa.Column("name", sa.String(10)),
        sa.CheckConstraint("length(name) > 1"),
        sa.Column("note", sa.String(10)),
    )
    op.execute("ALTER TABLE users ADD CONSTRAINT noted CHECK (note <> '') NOT VALID")
