"""Add users.status, still nullable

Only the catalogue changes, so the lock is held for milliseconds. The default comes in a second statement: so it
is for new rows alone, and the old ones stay NULL until the backfill knows what they are.
"""

import sqlalchemy as sa
from alembic import op

revision = "add_user_status"
down_revision = "create_shop"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("users", sa.Column("status", sa.String(20), nullable=True))
    op.alter_column("users", "status", server_default="active")


def downgrade():
    op.drop_column("users", "status")
