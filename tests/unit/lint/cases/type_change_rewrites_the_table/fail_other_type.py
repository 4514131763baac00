"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.alter_column("users", "id", type_=sa.BigInteger(), existing_type=sa.Integer())  # found
    op.alter_column("users", "name", type_=sa.String(20), existing_type=sa.String(50))  # found
    op.alter_column("users", "when", type_=sa.DateTime(timezone=True), existing_type=sa.DateTime())  # found
    op.alter_column("users", "price", type_=sa.Numeric(12, 4), existing_type=sa.Numeric(12, 2))  # found
    op.alter_column(
        "users", "a", type_=sa.Integer(), existing_type=sa.Text(), postgresql_using="a::integer"
    )  # found
