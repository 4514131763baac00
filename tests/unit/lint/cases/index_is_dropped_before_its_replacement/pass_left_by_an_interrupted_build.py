"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    with op.get_context().autocommit_block():
        op.drop_index("idx_users_email", "users", postgresql_concurrently=True, if_exists=True)
        op.create_index("idx_users_email", "users", ["email"], postgresql_concurrently=True)
