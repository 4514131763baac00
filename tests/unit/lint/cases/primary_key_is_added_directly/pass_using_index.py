"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_pkey")
