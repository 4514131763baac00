"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.rename_table("users", "people")
    op.execute("CREATE VIEW users AS SELECT * FROM people")
