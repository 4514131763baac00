"""What every database has.

Revision ID: xyz789

ADDED: the guide names this revision without showing it.
"""
from alembic import op
import sqlalchemy as sa

revision = 'xyz789'
down_revision = None

def upgrade() -> None:
    op.create_table('settings',
        sa.Column('name', sa.String(100), primary_key=True),
        sa.Column('value', sa.Text, nullable=False),
    )

def downgrade() -> None:
    op.drop_table('settings')
