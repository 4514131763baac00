"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.alter_column("users", "code", type_=sa.String(20))  # found
    op.alter_column("users", "code", type_=sa.String(20))  # found
    op.alter_column("users", "name", type_=sa.Text())  # found
