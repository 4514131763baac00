"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("SET LOCAL lock_timeout = '500ms'")
    op.execute("ALTER TABLE users ADD COLUMN a integer")
    with op.get_context().autocommit_block():
        op.create_index("idx_users_email", "users", ["email"], postgresql_concurrently=True)
