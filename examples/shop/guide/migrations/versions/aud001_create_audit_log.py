"""Create the audit log.

Revision ID: aud001
Database: audit

ADDED: so that the third database has a branch too.
"""
from alembic import op
import sqlalchemy as sa

revision = 'aud001'
down_revision = 'xyz789'
branch_labels = ('audit',)

def upgrade() -> None:
    op.create_table('audit_log',
        sa.Column('id', sa.BigInteger, primary_key=True),
        sa.Column('action', sa.String(100), nullable=False),
    )

def downgrade() -> None:
    op.drop_table('audit_log')
