"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    with op.batch_alter_table("users", schema="crm") as batch:
        batch.alter_column("email", existing_nullable=False, nullable=False)
        batch.alter_column("name", existing_nullable=False, nullable=False)
        op.alter_column("customers", "phone", existing_nullable=False, nullable=False)
