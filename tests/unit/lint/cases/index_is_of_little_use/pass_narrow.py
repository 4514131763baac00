"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("a", "users", ["a", "b", "c"], postgresql_concurrently=True)
        op.create_index("b", "users", ["a", "b", "c", "d"], unique=True, postgresql_concurrently=True)
