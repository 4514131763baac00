"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.alter_column(
        "users", "name", type_=sa.Text(), existing_type=sa.String(50), postgresql_using="name::text"
    )
    op.alter_column(
        "users",
        "code",
        type_=sa.String(9),
        existing_type=sa.String(5),
        postgresql_using="CAST(users.code AS varchar(9))",
    )
    op.alter_column("users", "note", type_=sa.Text(), existing_type=sa.String(50), postgresql_using="note")
