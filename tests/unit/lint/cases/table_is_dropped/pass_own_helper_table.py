"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("CREATE TEMPORARY TABLE ids AS SELECT id FROM users")
    op.drop_table("ids")
