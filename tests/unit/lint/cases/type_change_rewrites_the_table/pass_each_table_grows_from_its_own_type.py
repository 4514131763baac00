"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.alter_column("orders", "code", type_=sa.String(60), existing_type=sa.String(50))
    op.alter_column("users", "code", type_=sa.String(30), existing_type=sa.String(20))
    with op.batch_alter_table("carts", schema="shop") as batch:
        batch.alter_column("code", type_=sa.String(10), existing_type=sa.String(5))
