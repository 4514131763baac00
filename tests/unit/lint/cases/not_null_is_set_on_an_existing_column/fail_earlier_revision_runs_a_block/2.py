"""A revision."""

from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.execute("DO $$ BEGIN EXECUTE 'ALTER TABLE metrics ALTER key DROP NOT NULL'; END $$")
