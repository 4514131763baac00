"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    sa.inspect(op.get_bind()).get_columns("runs")
    op.execute(" ".join(["ALTER TABLE", "metrics", "ALTER key DROP NOT NULL"]))
