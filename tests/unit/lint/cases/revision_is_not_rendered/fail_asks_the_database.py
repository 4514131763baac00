"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    for name in sa.inspect(op.get_bind()).get_table_names():
        op.add_column(name, sa.Column("tenant", sa.Text()))
