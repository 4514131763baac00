"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.alter_column("users", "age", type_=sa.BigInteger(), existing_nullable=False)
    op.alter_column("customers", "age", type_=sa.BigInteger(), nullable=False)  # found
