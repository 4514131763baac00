"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.alter_column(
        "users", "email", type_=sa.String(100), existing_type=sa.String(50), existing_nullable=False
    )
    op.alter_column("customers", "email", nullable=False)  # found
    op.alter_column("users", "email", schema="crm", nullable=False)  # found
