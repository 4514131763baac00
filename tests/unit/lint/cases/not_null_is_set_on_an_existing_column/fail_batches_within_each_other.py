"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    with op.batch_alter_table("customers") as one:  # found
        one.alter_column("email", nullable=False)
        with op.batch_alter_table("users") as other:  # found
            other.alter_column("email", existing_nullable=False, nullable=False)
