"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r3"
down_revision = "r2"


def upgrade():
    with op.batch_alter_table("metrics") as batch:
        batch.alter_column("key", type_=sa.String(500), nullable=False)
        batch.alter_column("run", nullable=False)
    op.alter_column("metrics", "step", nullable=False)
