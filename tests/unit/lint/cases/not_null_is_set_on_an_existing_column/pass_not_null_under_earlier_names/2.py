"""A revision."""

from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.rename_table("metrics", "values")
    op.alter_column("values", "key", new_column_name="name")
