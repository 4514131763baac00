"""A revision."""

from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.execute("ALTER TABLE users VALIDATE CONSTRAINT proof")
    op.alter_column("users", "status", nullable=False)
    op.drop_constraint("proof", "users")
