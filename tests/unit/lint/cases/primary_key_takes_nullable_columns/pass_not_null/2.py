"""A revision."""

from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("users_pkey", "users", ["part", "id"], unique=True, postgresql_concurrently=True)
    op.execute("ALTER TABLE users ALTER COLUMN id SET NOT NULL")
    op.execute("ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_pkey")
    op.execute("ALTER TABLE elsewhere ADD PRIMARY KEY USING INDEX unknown")
