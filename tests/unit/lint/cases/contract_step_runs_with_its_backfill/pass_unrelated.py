"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("UPDATE users SET full_name = name")
    op.drop_column("users", "age")
