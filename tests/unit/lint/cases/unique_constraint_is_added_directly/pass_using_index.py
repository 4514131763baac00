"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key")
