"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    with op.batch_alter_table("users") as batch:  # found
        batch.alter_column("email", existing_nullable=False, nullable=False)
        batch.alter_column("name", nullable=False)
