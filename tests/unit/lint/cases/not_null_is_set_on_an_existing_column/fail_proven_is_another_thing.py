"""A revision."""

from alembic import op

import headway

revision = "r1"
down_revision = None


def upgrade():
    headway.add_check_online("other_table", "orders", "status IS NOT NULL")
    headway.add_check_online("other_column", "users", "state IS NOT NULL")
    headway.add_check_online("one_of_both", "users", "status IS NOT NULL OR state IS NOT NULL")
    headway.add_check_online("of_both", "users", "(status || state) IS NOT NULL")
    op.alter_column("users", "status", nullable=False)  # found
    headway.add_check_online("too_late", "users", "status IS NOT NULL")
