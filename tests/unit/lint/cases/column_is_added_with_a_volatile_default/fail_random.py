"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.add_column(
        "users", sa.Column("token", sa.UUID(), server_default=sa.text("gen_random_uuid()"))
    )  # found
    op.add_column(
        "users", sa.Column("place", sa.Text(), server_default=sa.text("our_own_function(1)"))
    )  # found
