"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index(
            "a", "users", ["email"], postgresql_using="hash", postgresql_concurrently=True
        )  # found
        op.create_index("b", "users", ["a", "b", "c", "d"], postgresql_concurrently=True)  # found
