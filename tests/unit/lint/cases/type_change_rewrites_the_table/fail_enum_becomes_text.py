"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.alter_column(
        "trials", "state", type_=sa.String(), existing_type=sa.Enum("A", "B", name="state")
    )  # found
