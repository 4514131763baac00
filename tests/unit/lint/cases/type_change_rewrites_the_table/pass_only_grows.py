"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.alter_column("users", "name", type_=sa.String(50), existing_type=sa.VARCHAR(length=20))
    op.alter_column("users", "name", type_=sa.Text(), existing_type=sa.String(20), existing_nullable=True)
    op.alter_column(
        "users", "price", type_=sa.Numeric(12, 2), existing_type=sa.Numeric(precision=10, scale=2)
    )
    with op.batch_alter_table("users") as batch:
        batch.alter_column("name", type_=sa.String(50), existing_type=sa.Unicode(20))
