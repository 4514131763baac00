"""Create users and orders.

Revision ID: shop001

ADDED: the tables that the guide's other revisions change.
"""
from alembic import op
import sqlalchemy as sa

revision = 'shop001'
down_revision = 'xyz789'

def upgrade() -> None:
    op.create_table('users',
        sa.Column('id', sa.BigInteger, primary_key=True),
        sa.Column('name', sa.String(255), nullable=True),
        sa.Column('is_active', sa.Boolean, server_default=sa.true(), nullable=False),
    )
    op.create_table('orders',
        sa.Column('id', sa.BigInteger, primary_key=True),
        sa.Column('customer_id', sa.BigInteger, sa.ForeignKey('users.id'), nullable=False),
        sa.Column('status', sa.String(20), server_default='open', nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.func.now()),
    )

def downgrade() -> None:
    op.drop_table('orders')
    op.drop_table('users')
