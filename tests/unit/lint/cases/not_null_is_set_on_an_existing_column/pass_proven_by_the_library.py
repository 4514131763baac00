"""A revision."""

from alembic import op

import headway

revision = "r1"
down_revision = None


def upgrade():
    headway.add_check_online("nn", "users", "status IS NOT NULL AND length(status) > 0", schema="crm")
    op.alter_column("users", "status", nullable=False, schema="crm")
