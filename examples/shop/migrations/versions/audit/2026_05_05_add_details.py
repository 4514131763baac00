"""Add details to the audit log"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "add_audit_details"
down_revision = "create_audit_log"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("audit_log", sa.Column("details", JSONB, nullable=True))


def downgrade():
    op.drop_column("audit_log", "details")
