"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    op.drop_constraint("code_there", "users")
    op.alter_column("users", "code", type_=sa.String(20))
    op.alter_column("users", "code", type_=sa.String(20))
    op.alter_column("users", "note", type_=sa.String(20))
    op.alter_column("users", "unknown", type_=sa.String(20))
