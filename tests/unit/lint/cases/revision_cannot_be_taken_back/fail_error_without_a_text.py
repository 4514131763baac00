"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.add_column("users", sa.Column("a", sa.Text()))


def downgrade():
    raise NotImplementedError
