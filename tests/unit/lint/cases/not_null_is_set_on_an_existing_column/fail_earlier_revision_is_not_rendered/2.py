"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r2"
down_revision = "r1"


def upgrade():
    names = op.get_bind().execute(sa.text("SELECT 'key'")).scalars().all()
    for name in names:
        op.alter_column("metrics", name, nullable=True)
