"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.alter_column(
        "users", "a", type_=sa.Text(), existing_type=sa.String(50), postgresql_using="lower(a)::text"
    )  # found
    op.alter_column(
        "users", "b", type_=sa.Text(), existing_type=sa.String(50), postgresql_using="b::varchar(5)"
    )  # found
    op.alter_column(
        "users", "c", type_=sa.Text(), existing_type=sa.String(50), postgresql_using="d::text"
    )  # found
    op.alter_column(
        "users", "e", type_=sa.BigInteger(), existing_type=sa.Integer(), postgresql_using="e::bigint"
    )  # found
